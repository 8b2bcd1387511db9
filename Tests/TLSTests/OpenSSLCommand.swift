import Foundation
import TestSupport

/// Runs the `openssl` program, which is independent of this module.
enum OpenSSLCommand {
    /// Runs it to its end, for at most 30 s. Returns its standard output; standard error is dropped.
    static func run(
        _ arguments: String..., input: FileHandle = .nullDevice
    ) throws -> (status: Int32, output: String) {
        let process = make(arguments)
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        let bytes = try process.runToEnd()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    /// Makes a process that is not started yet and ends by itself after 30 s at the latest.
    static func make(_ arguments: [String], program: String = "openssl") -> TestProcess {
        let process = TestProcess()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "--kill-after=5", "30", program] + arguments
        return process
    }

    /// Makes root.pem, issuer.pem (signed by the root), leaf.pem and leaf.key (signed by the issuer), and
    /// leaf-and-issuer.pem.
    static func makeChain(in folder: Folder) throws {
        let path = folder.path
        let authority = "basicConstraints=critical,CA:TRUE"
        func new(_ name: String, _ extensions: String, signedBy issuer: String?) throws {
            var arguments = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            arguments += ["-subj", "/CN=\(name)", "-addext", extensions, "-days", "2"]
            arguments += ["-keyout", path("\(name).key"), "-out", path("\(name).pem")]
            if let issuer { arguments += ["-CA", path("\(issuer).pem"), "-CAkey", path("\(issuer).key")] }
            let process = make(arguments)
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw CocoaError(.featureUnsupported) }
        }
        try new("root", authority, signedBy: nil)
        try new("issuer", authority, signedBy: "root")
        try new("leaf", "subjectAltName=DNS:localhost", signedBy: "issuer")
        let both = try folder.read("leaf.pem") + folder.read("issuer.pem")
        _ = try folder.write("leaf-and-issuer.pem", [UInt8](both))
    }
}

/// A temporary folder, removed with its owner.
final class Folder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "berth-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }

    func read(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }
}
