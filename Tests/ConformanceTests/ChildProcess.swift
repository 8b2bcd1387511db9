import Foundation
import TestSupport

/// A child process of the tests. Its output is written to files, so that it cannot block, and it is ended by its id.
final class ChildProcess {
    let name: String
    private let process = TestProcess()
    private let input = Pipe()
    private let output: URL
    private let errors: URL

    /// Starts `executable`. Its output is written to files in `directory` with names that begin with `name`.
    init(_ name: String, _ executable: URL, _ arguments: [String], in directory: URL) throws {
        self.name = name
        output = directory.appending(path: "\(name).out")
        errors = directory.appending(path: "\(name).err")
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"], uniquingKeysWith: { $1 })
        process.standardInput = input
        process.standardOutput = try Self.emptyFile(output)
        process.standardError = try Self.emptyFile(errors)
        try process.run()
    }

    deinit { kill() }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// The complete lines of stdout so far.
    func outputLines() -> [Substring] { Self.lines(output) }

    /// The complete lines of stderr so far.
    func errorLines() -> [Substring] { Self.lines(errors) }

    /// The end of stderr, for the comment of a failed expectation.
    func lastErrorLines(lines: Int = 12) -> String { errorLines().suffix(lines).joined(separator: "\n") }

    /// Sends one line to stdin.
    func send(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\(line)\n".utf8))
    }

    /// Waits for the first of `lines()` for which `match` is not nil. Fails at once if the process ends without it.
    func first<Value>(
        _ what: String, of lines: () -> [Substring], within limit: Duration, _ match: (Substring) -> Value?
    ) async throws -> Value {
        try await eventually("\(name): \(what)", within: limit) {
            let ended = !isRunning
            for line in lines() {
                if let value = match(line) { return value }
            }
            if ended { throw DeadlinePassed(description: "\(name) ended without \(what):\n\(lastErrorLines())") }
            return nil
        }
    }

    /// Waits for the process to end. Returns its exit status, or nil if a signal ended it. Kills it after `limit`.
    func exitStatus(within limit: Duration) async throws -> Int32? {
        do {
            try await eventually("\(name) ends", within: limit) { isRunning ? nil : () }
        } catch {
            kill()
            throw error
        }
        return process.terminationReason == .exit ? process.terminationStatus : nil
    }

    /// Sends SIGTERM.
    func terminate() { signal(SIGTERM) }

    /// Sends SIGKILL.
    func kill() { signal(SIGKILL) }

    /// Sends SIGSTOP.
    func stop() { signal(SIGSTOP) }

    /// Sends SIGCONT.
    func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) { process.send(number) }

    private static func emptyFile(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    private static func lines(_ url: URL) -> [Substring] {
        guard let data = try? Data(contentsOf: url) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }
}
