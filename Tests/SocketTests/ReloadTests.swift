import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    /// A running process is given another configuration file.
    @Suite("Reload of the berth executable", .serialized)
    struct ReloadTests {
        private static let token = "0123456789abcdef"

        /// A file with an admin address and these listeners and servers.
        private func write(
            _ folder: TemporaryFolder, admin: UInt16, listeners: [UInt16], servers: [SocketAddress], _ more: String = ""
        ) throws -> String {
            let tokenFile = try folder.write("token", Self.token + "\n")
            chmod(tokenFile, 0o600)
            let tables = listeners.map { "[[listen]]\nhttp = \"127.0.0.1:\($0)\"\n" }.joined()
            let addresses = servers.map { "\"\($0)\"" }.joined(separator: ", ")
            return try folder.write(
                "berth.toml",
                """
                [global]
                admin = "127.0.0.1:\(admin)"
                admin_token = "file:\(tokenFile)"
                secret = "file:\(folder.path("keys"))"
                \(more)
                \(tables)
                [upstream.mcp]
                servers = [\(addresses)]
                """)
        }

        /// Ports that are nobody's at the moment.
        private func freePorts(_ count: Int) throws -> [UInt16] {
            let sockets = try (0..<count).map { _ in try Socket.listen(on: .loopback(port: 0), shared: false) }
            defer { for socket in sockets { Socket.close(socket) } }
            return try sockets.map { try #require(Socket.localAddress($0)).port }
        }

        private func run(_ arguments: [String], _ folder: TemporaryFolder) throws -> (code: Int, text: String) {
            let command = try BerthCommand(arguments, in: folder)
            let code = try command.exitCode()
            return (code, command.printed + command.complained)
        }

        @Test("SIGHUP adds and removes servers and listeners; connections, streams and calls go on")
        func signal() throws {
            let folder = try TemporaryFolder()
            let first = try RecordingReplica { $0.target == "/slow" ? [] : [.answer("first")] }
            let second = try RecordingReplica { _ in [.answer("second")] }
            defer { for replica in [first, second] { replica.stop() } }
            let ports = try freePorts(3)
            let file = try write(folder, admin: ports[0], listeners: [ports[1]], servers: [first.address])
            let command = try BerthCommand(["run", file], in: folder)
            _ = try command.port(after: "listening on http://")
            let kept = try Client(.loopback(port: ports[1]))
            kept.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try kept.response().text == "first")
            let slow = try Client(.loopback(port: ports[1]))
            slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the call at the replica") { first.requests.contains { $0.target == "/slow" } }
            let connection = try #require(first.requests.last).connection

            _ = try write(folder, admin: ports[0], listeners: [ports[2]], servers: [second.address])
            command.signal(SIGHUP)
            try eventually("the old listener is closed") { (try? Client(.loopback(port: ports[1]))) == nil }

            #expect(try ask("/two", .loopback(port: ports[2])) == "second")
            kept.send("GET /three HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try kept.response().text == "second", "the connection outlives its listener")
            first.push(.answer("late"), to: connection)
            #expect(try slow.response().text == "late", "the call outlives its server")
            let said = command.complained
            for line in ["listener 127.0.0.1:\(ports[1]) removed", "server mcp/\(second.address) added"] {
                #expect(said.contains(line), "\(said)")
            }
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("a file with errors changes nothing and says why, in the log, to the command and in /stats")
        func rejected() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [.answer("ok")] }
            defer { replica.stop() }
            let ports = try freePorts(3)
            let file = try write(folder, admin: ports[0], listeners: [ports[1]], servers: [replica.address])
            let command = try BerthCommand(["run", file], in: folder)
            _ = try command.port(after: "admin on http://")
            let admin = SocketAddress.loopback(port: ports[0])
            let before = try ask("/config", admin)
            #expect(before.contains("servers = ["))

            // What is not our error: the address is taken by another.
            let taken = try Socket.listen(on: .loopback(port: ports[2]), shared: false)
            _ = try write(
                folder, admin: ports[0], listeners: [ports[1], ports[2]], servers: [replica.address])
            let refused = try run(["reload", "--config", file], folder)
            #expect(refused.code == 1 && refused.text.contains("rejected, nothing has changed"), "\(refused)")
            #expect(refused.text.contains("cannot listen on 127.0.0.1:\(ports[2])"), "\(refused)")
            Socket.close(taken)

            _ = try folder.write("berth.toml", "[listen]\nhttp = 5\n")
            command.signal(SIGHUP)
            try eventually("the log says why") { command.complained.contains("berth.toml:2:8") }
            let stats = try ask("/stats", admin)
            #expect(stats.contains("\"rejected\" : 2") && stats.contains("berth.toml:2:8"), "\(stats)")
            #expect(try ask("/config", admin) == before)
            #expect(try ask("/x", .loopback(port: ports[1])) == "ok")
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("berth reload, drain and status; a token is needed for changes")
        func commands() throws {
            let folder = try TemporaryFolder()
            let replicas = try (0..<2).map { number in try RecordingReplica { _ in [.answer("replica \(number)")] } }
            defer { for replica in replicas { replica.stop() } }
            let ports = try freePorts(2)
            let file = try write(
                folder, admin: ports[0], listeners: [ports[1]], servers: replicas.map(\.address))
            let command = try BerthCommand(["run", file], in: folder)
            _ = try command.port(after: "admin on http://")
            let front = SocketAddress.loopback(port: ports[1])
            let bare = try Client(.loopback(port: ports[0]))
            bare.send("POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            #expect(try bare.response().status == 401)

            let same = try run(["reload", "--config", file], folder)
            #expect(same.code == 0 && same.text.contains("unchanged"), "\(same)")
            let drain = try run(
                ["drain", "mcp/\(replicas[0].address)", "--wait", "--timeout", "10s", "--config", file], folder)
            #expect(drain.code == 0 && drain.text.contains("is empty"), "\(drain)")
            let answers = try (0..<6).map { _ in try ask("/x", front) }
            #expect(Set(answers) == ["replica 1"])
            let status = try run(["status", "--config", file], folder)
            #expect(status.text.contains("draining") && status.text.contains("healthy"), "\(status)")
            let unknown = try run(["drain", "mcp/elsewhere:1", "--config", file], folder)
            #expect(unknown.code == 1 && unknown.text.contains("there is no server mcp/elsewhere:1"), "\(unknown)")

            let undo = try run(["drain", "mcp/\(replicas[0].address)", "--undo", "--config", file], folder)
            #expect(undo.code == 0, "\(undo)")
            #expect(Set(try (0..<6).map { _ in try ask("/x", front) }).count == 2)
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("with watch = true a changed file is read, also one that changes by a link")
        func watched() throws {
            let folder = try TemporaryFolder()
            let replicas = try (0..<2).map { number in try RecordingReplica { _ in [.answer("replica \(number)")] } }
            defer { for replica in replicas { replica.stop() } }
            let ports = try freePorts(2)
            func version(_ number: Int) throws -> String {
                let file = try write(
                    folder, admin: ports[0], listeners: [ports[1]], servers: [replicas[number].address],
                    "watch = true")
                let target = folder.path("version-\(number)")
                #expect(rename(file, target) == 0)
                return target
            }
            let link = folder.path("linked.toml")
            #expect(symlink(try version(0), link) == 0)
            let command = try BerthCommand(["run", link], in: folder)
            _ = try command.port(after: "listening on http://")
            let front = SocketAddress.loopback(port: ports[1])
            #expect(try ask("/x", front) == "replica 0")

            let next = folder.path("next")
            #expect(symlink(try version(1), next) == 0 && rename(next, link) == 0)
            try eventually("the new server is asked") { try ask("/x", front) == "replica 1" }
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("an order to drain, and a reload, go on with keys that have changed since the start")
        func rotatedKeys() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { request in
                [.answer("ok", fields: request.target == "/open" ? "Mcp-Session-Id: s1\r\n" : "")]
            }
            defer { replica.stop() }
            let ports = try freePorts(2)
            let file = try write(
                folder, admin: ports[0], listeners: [ports[1]], servers: [replica.address, .loopback(port: 9)])
            let command = try BerthCommand(["run", file], in: folder)
            _ = try command.port(after: "admin on http://")
            let keys = folder.path("keys")
            let old = try String(contentsOfFile: keys, encoding: .utf8)
            _ = try folder.write("keys", Data((0..<32).map { UInt8($0) }).base64EncodedString() + "\n" + old)
            chmod(keys, 0o600)
            var times = [timeval(tv_sec: time(nil) - 300, tv_usec: 0), timeval(tv_sec: time(nil) - 300, tv_usec: 0)]
            #expect(utimes(keys, &times) == 0)
            try eventually("the new key signs") { command.complained.contains("2 verify") }
            func status(_ path: String, _ session: String?) throws -> Client.Response {
                let client = try Client(.loopback(port: ports[1]))
                let field = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
                client.send("POST \(path) HTTP/1.1\r\nHost: a\r\n\(field)Content-Length: 0\r\n\r\n")
                return try client.response()
            }
            let id = try #require(try status("/open", nil).values("mcp-session-id").first)

            _ = try run(["drain", "mcp/127.0.0.1:9", "--config", file], folder)
            #expect(try status("/x", id).status == 200)
            _ = try write(folder, admin: ports[0], listeners: [ports[1]], servers: [replica.address])
            _ = try run(["reload", "--config", file], folder)
            #expect(try status("/x", id).status == 200)
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }
    }
}
