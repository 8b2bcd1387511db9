import Foundation
import Kernel
import TestSupport

/// A process of the built `berth` executable.
final class BerthCommand {
    private let process = TestProcess()
    private let output: URL
    private let errors: URL

    /// Starts it. Its output is written to files in `folder`, so that no pipe can fill up; or its standard output to `pipe`.
    /// `launcher` are words of a command that becomes the executable, which is its last argument but for `arguments`. `program`
    /// is a path that leads to the executable.
    init(
        _ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:], launcher: [String] = [],
        program: String? = nil, pipe: FileHandle? = nil
    ) throws {
        let name = UUID().uuidString
        output = folder.url.appending(path: "\(name).out")
        errors = folder.url.appending(path: "\(name).err")
        for file in [output, errors] { try Data().write(to: file) }
        let words = try launcher + [program ?? Self.executable().path] + arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = try pipe ?? FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        process.send(SIGKILL)
    }

    /// The executable next to the test bundle, where SwiftPM puts all products.
    static func executable() throws -> URL {
        guard let path = builtExecutable("berth") else { throw TimedOut(description: "berth was not built") }
        return URL(fileURLWithPath: path)
    }

    var printed: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    var complained: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }
    var isRunning: Bool { process.isRunning }
    var identifier: pid_t { process.processIdentifier }

    var resources: ProcessResources { ProcessResources(process: process.processIdentifier) }

    func signal(_ number: CInt) { process.send(number) }

    /// Waits for its end. Returns the exit code, or the negated number of the signal that ended it.
    func exitCode() throws -> Int {
        try eventually("berth ended; its output: \(complained)") { !process.isRunning }
        let status = Int(process.terminationStatus)
        return process.terminationReason == .exit ? status : -status
    }

    /// Waits for a line on standard error that starts with `start`. Returns the port at its end.
    func port(after start: String) throws -> UInt16 {
        var port: UInt16?
        try eventually("a line \"\(start)\" in \(complained)") {
            let line = complained.split(separator: "\n").first { $0.hasPrefix(start) }
            port = line?.split(separator: ":").last.flatMap { UInt16($0) }
            return port != nil
        }
        return port ?? 0
    }
}
