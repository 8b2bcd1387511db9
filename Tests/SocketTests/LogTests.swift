import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    @Suite("Logs of the berth executable", .serialized)
    struct LogTests {
        private static let token = "0123456789abcdef"

        private func write(_ folder: TemporaryFolder, _ logs: String, server: SocketAddress) throws -> String {
            let tokenFile = try folder.write("token", Self.token + "\n")
            chmod(tokenFile, 0o600)
            return try folder.write(
                "berth.toml",
                """
                [global]
                admin = "127.0.0.1:0"
                admin_token = "file:\(tokenFile)"
                secret = "file:\(folder.path("keys"))"
                \(logs)
                [listen]
                http = "127.0.0.1:0"
                [upstream.mcp]
                servers = ["\(server)"]
                """)
        }

        private func lines(_ folder: TemporaryFolder, _ name: String) -> [[String: Any]] {
            let text = (try? String(contentsOfFile: folder.path(name), encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map { line in
                let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
                return object as? [String: Any] ?? ["broken": String(line)]
            }
        }

        private func post(_ path: String, _ admin: SocketAddress, token: String = token) throws -> String {
            let client = try Client(admin)
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
            return try client.response().text
        }

        @Test("Changes are audited; the file is opened anew by SIGUSR1, and another one by a reload")
        func audit() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica()
            defer { replica.stop() }
            let file = try write(folder, "audit_log = { path = \"audit.jsonl\" }", server: replica.address)
            let command = try BerthCommand(["run", file], in: folder)
            let admin = SocketAddress.loopback(port: try command.port(after: "admin on http://"))

            _ = try post("/drain?server=mcp/\(replica.address)&token=\(Self.token)", admin)
            _ = try post("/reload", admin, token: "wrong-wrong-wrong")
            try eventually("two lines") { lines(folder, "audit.jsonl").count == 2 }
            let first = lines(folder, "audit.jsonl")
            #expect(first.map { $0["outcome"] as? String } == ["applied", "denied"])
            #expect(first[0]["request"] as? String == "POST /drain?server=mcp/\(replica.address)&token=...")
            #expect(first.allSatisfy { $0["event"] as? String == "change" })
            #expect(first[1]["status"] as? Int == 401)

            rename(folder.path("audit.jsonl"), folder.path("audit.jsonl.1"))
            command.signal(SIGUSR1)
            try eventually("it says so") { command.complained.contains("opening log files anew") }
            command.signal(SIGHUP)
            try eventually("the file is new") { lines(folder, "audit.jsonl").count == 1 }
            #expect(lines(folder, "audit.jsonl")[0]["request"] as? String == "SIGHUP")
            #expect(lines(folder, "audit.jsonl.1").count == 2)

            _ = try write(folder, "audit_log = { path = \"other.jsonl\" }", server: replica.address)
            command.signal(SIGHUP)
            try eventually("the other file") { lines(folder, "other.jsonl").count == 1 }
            #expect(lines(folder, "other.jsonl")[0]["outcome"] as? String == "applied")

            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
            #expect(lines(folder, "other.jsonl").last?["request"] as? String == "SIGTERM")
            let everything = ["audit.jsonl", "audit.jsonl.1", "other.jsonl"].flatMap { lines(folder, $0) }
            #expect(!"\(everything)".contains(Self.token))
        }

        @Test("A log whose reader is gone stops nothing, and the process says so")
        func brokenReader() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [.answer("yes")] }
            defer { replica.stop() }
            #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
            let file = try write(folder, "audit_log = { path = \"pipe\" }", server: replica.address)
            let command = try BerthCommand(["run", file], in: folder)
            let plain = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            command.signal(SIGHUP)
            try eventually("it is reported") { command.complained.contains("pipe cannot be written") }
            #expect(try ask("/one", plain) == "yes")
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }
    }
}
