import Foundation
import Glibc
import Kernel
import Synchronization
import TestIssuer
import Testing

/// A process of `berth run` whose route asks for tokens, a server behind it, and an issuer that publishes keys.
final class IssuerRig {
    let folder: TemporaryFolder
    let issuer: RecordingReplica
    let replica: RecordingReplica
    private let command: BerthCommand
    private let port: UInt16
    private let file: String

    /// `auth`: the table, in which ISSUER stands for the issuer's address and FOLDER for the folder. Empty: there is none.
    init(
        _ auth: String, keys: [UInt8], environment: [String: String] = [:],
        prepare: (TemporaryFolder) throws -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        try prepare(folder)
        issuer = try RecordingReplica { _ in IssuerRig.answer(keys) }
        replica = try RecordingReplica { _ in [.answer("ok")] }
        file = folder.path("berth.toml")
        port = try Self.freePort()
        try Self.write(file, folder, auth, issuer, replica, port: port)
        command = try BerthCommand(["run", file], in: folder, environment: environment)
        _ = try command.port(after: "listening on http://")
    }

    deinit {
        issuer.stop()
        replica.stop()
    }

    /// A port that is nobody's at the moment.
    private static func freePort() throws -> UInt16 {
        let socket = try Socket.listen(on: .loopback(port: 0), shared: false)
        defer { Socket.close(socket) }
        return try #require(Socket.localAddress(socket)).port
    }

    static func answer(_ document: [UInt8]) -> [ReplicaStep] {
        [.answer(String(decoding: document, as: UTF8.self), fields: "content-type: application/jwk-set+json\r\n")]
    }

    private static func write(
        _ file: String, _ folder: TemporaryFolder, _ auth: String, _ issuer: RecordingReplica,
        _ replica: RecordingReplica, port: UInt16
    ) throws {
        let table = auth.replacing("ISSUER", with: "\(issuer.address)").replacing("FOLDER", with: folder.url.path)
        let text = """
            [global]
            workers = 1
            secret = "file:\(folder.path("session.keys"))"
            [listen]
            http = "127.0.0.1:\(port)"
            [[route]]
            upstream = "mcp"
            \(auth.isEmpty ? "" : "auth = { \(table) }")
            [upstream.mcp]
            servers = ["\(replica.address)"]
            """
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    /// Gives the process another table, and waits until it says so.
    func reload(_ auth: String) throws {
        try Self.write(file, folder, auth, issuer, replica, port: port)
        let before = log.matches(of: /the configuration was reloaded/).count
        command.signal(SIGHUP)
        try eventually("the reload in \(log)") {
            log.matches(of: /the configuration was reloaded/).count > before
        }
    }

    /// What the process has logged.
    var log: String { command.complained }

    /// The issuer publishes these from now on.
    func publish(_ keys: [(id: String?, key: TestIssuer.Key, extra: [String: String])]) {
        let document = TestIssuer.document(keys)
        issuer.reset { _ in IssuerRig.answer(document) }
    }

    func token(_ key: TestIssuer.Key, _ algorithm: String, id: String?, _ changes: [String: String?] = [:]) -> String {
        TestIssuer.token(
            TestIssuer.claims(at: Int64(time(nil)), changes), key: key, algorithm: algorithm, id: id)
    }

    /// The status of a call with a token, and the challenge.
    func call(_ token: String?) throws -> (status: Int, challenge: String) {
        let client = try Client(.loopback(port: port))
        let body = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
        let field = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        client.send("POST /mcp HTTP/1.1\r\nHost: a\r\n\(field)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let response = try client.response()
        return (response.status, response.values("www-authenticate").first ?? "")
    }

    func waitForStatus(_ status: Int, of token: @autoclosure () -> String) throws {
        try eventually("status \(status); the log: \(log)") { try call(token()).status == status }
    }
}
