import Glibc
import Kernel
import TLS
import Testing

extension SocketTests {
    @Suite("The berth executable", .serialized)
    struct ProcessTests {
        @Test("version and help exit with 0", arguments: [["version"], ["--version"], ["--help"], ["run", "--help"]])
        func texts(_ arguments: [String]) throws {
            let folder = try TemporaryFolder()
            let command = try BerthCommand(arguments, in: folder)

            #expect(try command.exitCode() == 0)
            let expected = arguments.contains("--help") ? "USAGE: berth" : "0.1.0"
            #expect(command.printed.contains(expected), "\(command.printed)")
            #expect(command.complained.isEmpty)
        }

        @Test("an unknown command is a usage error")
        func usage() throws {
            let folder = try TemporaryFolder()
            let command = try BerthCommand(["flounder"], in: folder)

            #expect(try command.exitCode() == 64)
            #expect(command.complained.contains("Usage"))
        }

        @Test("check exits with 0 for a valid file and 2 for an invalid one, and prints every error's position")
        func check() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica()
            defer { replica.stop() }
            let good = try BerthCommand(["check", folder.configuration(for: replica)], in: folder)
            #expect(try good.exitCode() == 0, "\(good.complained)")
            #expect(good.printed.contains("berth.toml: valid, 1 server in 1 upstream"))

            let bad = try folder.write("bad.toml", "[listen]\nhttp = 5\n[upstream.mcp]\nserver = [\"a:1\"]\n")
            let command = try BerthCommand(["check", bad], in: folder)

            #expect(try command.exitCode() == 2)
            #expect(command.printed.isEmpty)
            #expect(command.complained.contains("bad.toml:2"))
            #expect(command.complained.contains("bad.toml:4"))
        }

        @Test("run refuses a bad file and a missing one with 2", arguments: ["[listen]\nhttp = 5\n", nil])
        func badFile(_ text: String?) throws {
            let folder = try TemporaryFolder()
            let path = try text.map { try folder.write("bad.toml", $0) } ?? folder.path("none.toml")

            let command = try BerthCommand(["run", path], in: folder)

            #expect(try command.exitCode() == 2)
            #expect(command.complained.contains(text == nil ? "none.toml" : "bad.toml:2"))
        }

        @Test(
            "run serves; after SIGTERM or SIGINT the call in flight completes, and it exits with 0",
            arguments: [SIGTERM, SIGINT])
        func run(_ signal: CInt) throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { $0.target == "/slow" ? [] : [.answer("ok")] }
            defer { replica.stop() }
            let command = try BerthCommand(["run", folder.configuration(for: replica)], in: folder)
            let plain = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            let secure = SocketAddress.loopback(port: try command.port(after: "listening on https://"))
            let admin = SocketAddress.loopback(port: try command.port(after: "admin on http://"))
            #expect(try ask("/readyz", admin) == "ready\n")
            #expect(try ask("/one", plain) == "ok")
            #expect(try ask("/two", secure, tls: TLSClientContext(verifying: false)) == "ok")
            let slow = try Client(plain)
            slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the call at the replica") { replica.requests.contains { $0.target == "/slow" } }
            let connection = try #require(replica.requests.last).connection

            command.signal(signal)

            try eventually("new connections are refused") { (try? Client(plain)) == nil }
            #expect(try ask("/readyz", admin) == "draining\n")
            #expect(command.isRunning)
            replica.push(.answer("late"), to: connection)
            #expect(try slow.response().text == "late")
            #expect(try command.exitCode() == 0)
            #expect(command.complained.contains("drained"))
        }

        @Test("in drain_delay it serves and is not ready; SIGHUP without a change changes nothing")
        func drainDelay() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [.answer("ok")] }
            defer { replica.stop() }
            let file = try folder.write(
                "delay.toml",
                """
                [global]
                admin = "127.0.0.1:0"
                drain_delay = "30s"
                secret = "file:\(folder.path("delay.keys"))"
                [listen]
                http = "127.0.0.1:0"
                [upstream.mcp]
                servers = ["\(replica.address)"]
                """)
            let command = try BerthCommand(["run", file], in: folder)
            let plain = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            let admin = SocketAddress.loopback(port: try command.port(after: "admin on http://"))
            command.signal(SIGHUP)
            try eventually("SIGHUP is spoken of") { command.complained.contains("reloaded: unchanged") }
            #expect(try ask("/readyz", admin) == "ready\n")

            command.signal(SIGTERM)
            try eventually("it is not ready") { try ask("/readyz", admin) == "draining\n" }
            #expect(try ask("/one", plain) == "ok", "a new connection is served")
            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0)
        }

        @Test("a second signal ends the drain at once, with 0")
        func secondSignal() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [] }
            defer { replica.stop() }
            let command = try BerthCommand(["run", folder.configuration(for: replica)], in: folder)
            let plain = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            let call = try Client(plain)
            call.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("the call at the replica") { !replica.requests.isEmpty }

            command.signal(SIGTERM)
            try eventually("new connections are refused") { (try? Client(plain)) == nil }
            #expect(command.isRunning)
            command.signal(SIGTERM)

            #expect(try command.exitCode() == 0)
            #expect(try call.readUntilEnd().isEmpty)
        }

        @Test("run exits with 1 and names the port if a port is in use")
        func portTaken() throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica()
            defer { replica.stop() }
            let path = try folder.write(
                "berth.toml",
                "[listen]\nhttp = \"\(replica.address)\"\n[upstream.mcp]\nservers = [\"127.0.0.1:9\"]\n")

            let command = try BerthCommand(["run", path], in: folder)

            #expect(try command.exitCode() == 1)
            #expect(command.complained.contains("\(replica.address)"))
        }

        @Test("the demo runs for the given time, prints a summary and exits with 0")
        func demo() throws {
            let folder = try TemporaryFolder()
            let command = try BerthCommand(["demo", "--seconds", "2"], in: folder)

            #expect(try command.exitCode() == 0)
            for line in ["kill -9 mcp-", "berth reload", "berth upgrade", "wrong answers", "berth run berth.toml"] {
                #expect(command.printed.contains(line), "\(line): \(command.printed)")
            }
        }
    }
}
