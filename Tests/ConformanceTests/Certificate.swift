import Foundation

/// A self-signed certificate for 127.0.0.1: `cert.pem`, which clients trust, and `key.pem`.
enum Certificate {
    static func make(in directory: URL) async throws {
        let arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout", directory.appending(path: "key.pem").path, "-out", directory.appending(path: "cert.pem").path,
        ]
        let openssl = try ChildProcess("openssl", URL(filePath: "/usr/bin/env"), arguments, in: directory)
        guard try await openssl.exitStatus(within: .seconds(60)) == 0 else {
            throw DeadlinePassed(description: "openssl made no certificate:\n\(openssl.lastErrorLines())")
        }
    }
}
