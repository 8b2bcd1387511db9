import Foundation
import TLS

/// A temporary folder, removed with its owner.
final class TemporaryFolder {
    let url = FileManager.default.temporaryDirectory.appending(path: "berth-tests-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a configuration file for `replica`, with ports that the kernel chooses and a new certificate. Returns its
    /// path.
    func configuration(for replica: RecordingReplica, timeouts: String = "{}") throws -> String {
        let certificate = try SelfSignedCertificate.make(names: ["localhost", "127.0.0.1"], validDays: 2)
        return try write(
            "berth.toml",
            """
            [global]
            workers = 1
            admin = "127.0.0.1:0"
            secret = "file:\(url.path)/session.keys"
            [listen]
            https = "127.0.0.1:0"
            http = "127.0.0.1:0"
            cert = "\(write("mcp.pem", certificate.certificatePEM))"
            key = "\(write("mcp.key", certificate.keyPEM))"
            timeouts = \(timeouts)
            [upstream.mcp]
            servers = ["\(replica.address)"]
            pool = { max = 300 }
            """)
    }

    /// The path of a file in the folder, which need not exist.
    func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file and returns its path.
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = url.appending(path: name)
        try Data(bytes).write(to: file)
        return file.path
    }
}
