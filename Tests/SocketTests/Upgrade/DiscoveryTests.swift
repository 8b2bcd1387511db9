import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    /// Servers that are found in a file, while the configuration is reloaded and the program replaced.
    @Suite("Discovery by the berth executable", .serialized)
    struct DiscoveryTests {
        private let berth: UpgradingBerth
        private let found: RecordingReplica
        private let targets: String

        init() throws {
            let path =
                FileManager.default.temporaryDirectory.path + "/berth-servers-\(UInt64.random(in: 0 ... .max)).json"
            targets = path
            found = try RecordingReplica { request in
                [.answer("found", fields: request.target == "/open" ? "Mcp-Session-Id: f1\r\n" : "")]
            }
            try Self.write([found.address], to: path)
            berth = try UpgradingBerth(settings: "discover = { file = \"\(path)\", min_ttl = \"100ms\" }") { request in
                [.answer("configured", fields: request.target == "/open" ? "Mcp-Session-Id: c1\r\n" : "")]
            }
        }

        private static func write(_ addresses: [SocketAddress], to path: String) throws {
            let list = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
            try Data("[{\"targets\": [\(list)]}]".utf8).write(to: URL(filePath: path), options: .atomic)
        }

        private func call(_ path: String, session: String? = nil) throws -> Client.Response {
            let client = try Client(berth.plain)
            let field = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\n\(field)Content-Length: 0\r\n\r\n")
            return try client.response()
        }

        /// The id of a session with the server that was found.
        private func open() throws -> String {
            for _ in 0..<20 {
                let answer = try call("/open")
                if answer.text == "found" { return try #require(answer.values("mcp-session-id").first) }
            }
            throw TimedOut(description: "no session with the server that was found")
        }

        private func finish() {
            unlink(targets)
            found.stop()
        }

        @Test("servers of the file and those that are found share the work; pages and metrics say which is which")
        func both() throws {
            #expect(Set(try (0..<8).map { _ in try call("/x").text }) == ["found", "configured"])
            let servers = try ask("/servers", berth.admin)
            #expect(servers.contains("\"discovered\" : true") && servers.contains("\"source\" : \"file \(targets)\""))
            let metrics = try ask("/metrics", berth.admin)
            #expect(metrics.contains("berth_discovery_servers{upstream=\"mcp\"} 1\n"), "\(metrics)")
            #expect(metrics.contains("berth_discovery_failing{upstream=\"mcp\"} 0\n"))

            let session = try open()
            try Self.write([.loopback(port: 9)], to: targets)
            try eventually("it has vanished") { try ask("/servers", berth.admin).contains("\"removed\"") }
            #expect(try call("/y", session: session).text == "found", "it keeps its session")
            #expect(Set(try (0..<8).map { _ in try call("/x").text }) == ["configured"])
            try Self.write([found.address], to: targets)
            try eventually("it is back") { try call("/x").text == "found" }
            #expect(try call("/y", session: session).text == "found")
            #expect(try ask("/metrics", berth.admin).contains("berth_discovery_flaps_total{upstream=\"mcp\"} 1\n"))
            finish()
        }

        @Test("a reload and an upgrade keep the servers that were found, though the file is gone")
        func kept() throws {
            let session = try open()
            unlink(targets)
            try eventually("the failure") { try ask("/metrics", berth.admin).contains("reason=\"unreadable\"} 1") }
            try berth.configure(workers: 2, more: "[metrics]\nmax_tools = 100")
            try berth.reload()
            #expect(try call("/y", session: session).text == "found")

            try berth.upgrade()

            #expect(try call("/z", session: session).text == "found")
            #expect(Set(try (0..<8).map { _ in try call("/x").text }) == ["found", "configured"])
            #expect(try ask("/servers", berth.admin).contains("\"discovered\" : true"))
            let others = [SocketAddress.loopback(port: 9)]
            try Self.write(others, to: targets)
            try eventually("the new process follows") { try ask("/servers", berth.admin).contains("127.0.0.1:9") }
            #expect(try call("/z", session: session).text == "found")
            // And what was leaving goes on to leave.
            try berth.upgrade()
            #expect(try call("/z", session: session).text == "found")
            finish()
        }
    }
}
