import Foundation
import TLS

/// A certificate authority of the openssl command's, and what it has signed.
final class Authority: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "berth-\(UUID().uuidString)").path
    let certificate: [UInt8]

    init(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.make(["-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE"], "\(folder)/ca")
        certificate = try Self.read("\(folder)/ca.pem")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A certificate for `subject` ("/CN=alice"), with extensions as `openssl req -addext` takes them.
    func sign(_ subject: String, _ extensions: String...) throws -> TLSIdentity {
        let path = "\(folder)/\(UUID().uuidString)"
        try Self.make(
            ["-utf8", "-subj", subject, "-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key"]
                + extensions.flatMap { ["-addext", $0] }, path)
        return try TLSIdentity(certificate: .bytes(Self.read("\(path).pem")), key: .bytes(Self.read("\(path).key")))
    }

    private static func make(_ arguments: [String], _ path: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "timeout", "30", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes",
            ]
            + arguments + ["-days", "2", "-keyout", "\(path).key", "-out", "\(path).pem"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TimedOut(description: "openssl failed") }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
