import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    @Suite("berth check", .serialized)
    struct CheckTests {
        private func write(
            _ folder: TemporaryFolder, listen: String = "127.0.0.1:0", server: String, secret: String = "session.keys"
        ) throws -> String {
            try folder.write(
                "berth.toml",
                """
                [global]
                secret = "file:\(folder.path(secret))"
                [listen]
                http = "\(listen)"
                [upstream.mcp]
                servers = ["\(server)"]
                """)
        }

        @Test("a key file that run would refuse is an error, with its line", arguments: ["check", "run"])
        func malformedKeys(_ verb: String) throws {
            let folder = try TemporaryFolder()
            let keys = try folder.write("session.keys", "nonsense\n")
            chmod(keys, 0o600)

            let command = try BerthCommand([verb, write(folder, server: "127.0.0.1:9")], in: folder)

            #expect(try command.exitCode() == 2)
            #expect(command.complained.contains("berth.toml:2:10: error: the keys in \(keys) cannot be used"))
            #expect(command.complained.contains("session.keys:1: expected a base64 key"))
        }

        @Test(
            "so is a default key file that is corrupt: nothing starts with a temporary key",
            arguments: ["check", "run"])
        func malformedDefaultKeys(_ verb: String) throws {
            let folder = try TemporaryFolder()
            let keys = try folder.write("session.keys", "nonsense\n")
            chmod(keys, 0o600)
            let path = try folder.write(
                "berth.toml", "[listen]\nhttp = \"127.0.0.1:0\"\n[upstream.mcp]\nservers = [\"127.0.0.1:9\"]\n")

            let command = try BerthCommand([verb, path], in: folder, environment: ["STATE_DIRECTORY": folder.url.path])

            #expect(try command.exitCode() == (verb == "check" ? 2 : 1))
            #expect(command.complained.contains("session.keys:1: expected a base64 key"))
            #expect(!command.complained.contains("listening on"))
        }

        @Test("a key file that others can write is refused", arguments: ["check", "run"])
        func openKeys(_ verb: String) throws {
            let folder = try TemporaryFolder()
            let keys = try folder.write("session.keys", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
            chmod(keys, 0o666)

            let command = try BerthCommand([verb, write(folder, server: "127.0.0.1:9")], in: folder)

            #expect(try command.exitCode() == 2)
            #expect(command.complained.contains("0666"))
        }

        @Test("a name that does not resolve is a warning, and the file is valid")
        func unresolved() throws {
            let folder = try TemporaryFolder()

            let command = try BerthCommand(["check", write(folder, server: "mcp.invalid:3001")], in: folder)

            #expect(try command.exitCode() == 0)
            #expect(command.complained.contains("berth.toml:6:12: warning: \"mcp.invalid\" does not resolve"))
            #expect(command.printed.contains("valid, 1 server in 1 upstream"))
        }

        @Test("run starts all the same: the servers that resolve get the calls")
        func runUnresolved() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [.answer("ok")] }
            defer { replica.stop() }
            let path = try write(folder, server: "mcp.invalid:3001\", \"\(replica.address)")

            let command = try BerthCommand(["run", path], in: folder)

            let address = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            for _ in 0..<4 {
                let client = try Client(address)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.response().text == "ok")
            }
            try eventually("a warning") {
                command.complained.contains("the name of server mcp.invalid:3001 does not resolve")
            }
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("with --dial an address in use is an error, a server that takes connections is named")
        func addressTaken() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica()
            defer { replica.stop() }
            let taken = "\(replica.address)"
            let path = try write(folder, listen: taken, server: taken)

            let plain = try BerthCommand(["check", path], in: folder)
            #expect(try plain.exitCode() == 0)
            let command = try BerthCommand(["check", "--dial", path], in: folder)

            #expect(try command.exitCode() == 1)
            #expect(command.complained.contains("error: cannot listen on \(taken): "))
            #expect(command.printed.contains("server \(taken) of upstream mcp: connected to \(taken)"))
        }

        @Test("with --dial a server that refuses, or whose name does not resolve, is a warning")
        func serversDown() throws {
            let folder = try TemporaryFolder()
            let port = try unusedPort()
            for (server, reason) in [
                ("127.0.0.1:\(port)", "no connection (127.0.0.1:\(port): connection refused)"),
                ("mcp.invalid:1", "its name does not resolve"),
            ] {
                let command = try BerthCommand(["check", "--dial", write(folder, server: server)], in: folder)

                #expect(try command.exitCode() == 0)
                #expect(command.complained.contains("warning: server \(server) of upstream mcp: \(reason)"))
            }
        }

        @Test("run says nothing of listening if one of its addresses is taken, and leaves none open")
        func oneTaken() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica()
            defer { replica.stop() }
            let port = try unusedPort()
            let path = try folder.write(
                "berth.toml",
                """
                [global]
                secret = "file:\(folder.path("session.keys"))"
                [[listen]]
                http = "127.0.0.1:\(port)"
                [[listen]]
                http = "\(replica.address)"
                [upstream.mcp]
                servers = ["127.0.0.1:9"]
                """)

            let command = try BerthCommand(["run", path], in: folder)

            #expect(try command.exitCode() == 1)
            #expect(!command.complained.contains("listening on"))
            #expect(command.complained.contains("cannot listen on \(replica.address)"))
        }

        /// A port that nothing listens on: it was free a moment ago.
        private func unusedPort() throws -> UInt16 {
            let socket = try Socket.listen(on: .loopback(port: 0), shared: false)
            defer { Socket.close(socket) }
            return Socket.localAddress(socket)?.port ?? 0
        }
    }
}
