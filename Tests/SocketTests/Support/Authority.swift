import Foundation
import TLS
import TestSupport

/// A certificate authority made with the openssl command, and the certificates it has signed.
final class Authority: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "berth-\(UUID().uuidString)").path
    let certificate: [UInt8]

    init(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.make(["-subj", "/CN=\(name)", "-addext", "basicConstraints=critical,CA:TRUE"], "\(folder)/ca")
        certificate = try Self.read("\(folder)/ca.pem")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Makes a certificate for `subject` ("/CN=alice"), with extensions in the form of `openssl req -addext`.
    func sign(_ subject: String, _ extensions: String..., serial: Int? = nil) throws -> TLSIdentity {
        let path = "\(folder)/\(UUID().uuidString)"
        try Self.make(
            ["-utf8", "-subj", subject, "-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key"]
                + (serial.map { ["-set_serial", "\($0)"] } ?? []) + extensions.flatMap { ["-addext", $0] }, path)
        return try TLSIdentity(certificate: .bytes(Self.read("\(path).pem")), key: .bytes(Self.read("\(path).key")))
    }

    /// An OCSP response for one of its certificates, in DER form, valid for a day.
    func response(for identity: TLSIdentity) throws -> [UInt8] {
        guard case .bytes(let certificate) = identity.certificate else { return [] }
        let path = "\(folder)/\(UUID().uuidString)"
        try Data(certificate).write(to: URL(fileURLWithPath: "\(path).pem"))
        try Self.run(["x509", "-in", "\(path).pem", "-noout", "-serial", "-out", "\(path).txt"])
        let serial = String(decoding: try Self.read("\(path).txt"), as: UTF8.self).split(separator: "=").last ?? ""
        let index = "V\t991231235959Z\t\t\(serial.trimmingCharacters(in: .newlines))\tunknown\t/CN=x\n"
        try Data(index.utf8).write(to: URL(fileURLWithPath: "\(path).index"))
        let authority = ["-CA", "\(folder)/ca.pem", "-issuer", "\(folder)/ca.pem", "-rsigner", "\(folder)/ca.pem"]
        try Self.run(
            ["ocsp", "-index", "\(path).index"] + authority
                + ["-rkey", "\(folder)/ca.key", "-cert", "\(path).pem", "-ndays", "1", "-respout", "\(path).der"])
        return try Self.read("\(path).der")
    }

    private static func make(_ arguments: [String], _ path: String) throws {
        try run(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] + arguments
                + ["-days", "2", "-keyout", "\(path).key", "-out", "\(path).pem"])
    }

    private static func run(_ arguments: [String]) throws {
        let process = TestProcess()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "30", "openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TimedOut(description: "openssl failed") }
    }

    private static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
