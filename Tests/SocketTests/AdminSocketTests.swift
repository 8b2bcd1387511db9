import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    /// A running process is operated by its Unix socket.
    @Suite("The Unix socket of the admin address", .serialized)
    struct AdminSocketTests {
        /// Berth with a server behind it, and a socket in the folder.
        private struct Scene {
            let folder: TemporaryFolder
            let replicas: [RecordingReplica]
            let file: String
            let command: BerthCommand
            var socket: String { folder.path("admin.sock") }

            init(admin: String = "\"unix:admin.sock\"") throws {
                folder = try TemporaryFolder()
                replicas = try (0..<2).map { number in try RecordingReplica { _ in [.answer("replica \(number)")] } }
                file = try folder.write(
                    "berth.toml",
                    """
                    [global]
                    admin = \(admin)
                    secret = "file:\(folder.path("keys"))"
                    workers = 1
                    [listen]
                    http = "127.0.0.1:0"
                    [upstream.mcp]
                    servers = [\(replicas.map { "\"\($0.address)\"" }.joined(separator: ", "))]
                    health_check = { interval = "1s" }
                    """)
                command = try BerthCommand(["run", file], in: folder)
                let command = command
                try eventually("it runs: \(command.complained)") { command.complained.contains("admin on unix:") }
            }

            func run(_ arguments: String...) throws -> (code: Int, text: String) {
                let other = try BerthCommand(arguments + ["--config", file], in: folder)
                let code = try other.exitCode()
                return (code, other.printed + other.complained)
            }

            func end() throws {
                command.signal(SIGTERM)
                #expect(try command.exitCode() == 0, "\(command.complained)")
                for replica in replicas { replica.stop() }
            }
        }

        /// Sends a request by the socket and returns all that comes back.
        private func ask(_ path: String, _ request: String) throws -> String {
            guard case .started(let descriptor) = UnixSocket.dial(path) else {
                throw TimedOut(description: "no socket")
            }
            defer { Socket.close(descriptor) }
            #expect(UnixSocket.peerUser(descriptor) == ThisProcess.user)
            var text = request
            text.withUTF8 { _ = send(descriptor.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            var received: [UInt8] = []
            var poll = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
            var chunk = [UInt8](repeating: 0, count: 4_096)
            while Glibc.poll(&poll, 1, 10_000) == 1 {
                let count = recv(descriptor.raw, &chunk, chunk.count, 0)
                guard count > 0 else { break }
                received += chunk[..<count]
            }
            return String(decoding: received, as: UTF8.self)
        }

        @Test("only its user can connect, and needs no token for changes")
        func orders() throws {
            let scene = try Scene()
            let status = try FileManager.default.attributesOfItem(atPath: scene.socket)
            #expect(status[.posixPermissions] as? Int == 0o600)
            #expect(status[.type] as? FileAttributeType == .typeSocket)
            let server = "mcp/\(scene.replicas[0].address)"

            let drained = try scene.run("server", "drain", server)
            #expect(drained.code == 0 && drained.text.contains("drains"), "\(drained)")
            #expect(try scene.run("status").text.contains("draining"))
            #expect(try scene.run("server", "undrain", server).code == 0)
            #expect(try scene.run("server", "disable", server).code == 0)
            let listed = try scene.run("server")
            #expect(listed.text.contains("disabled"), "\(listed)")
            #expect(try scene.run("server", "enable", server).code == 0)
            #expect(try scene.run("server", "weight", server, "20").code == 0)
            #expect(try ask(scene.socket, "GET /servers HTTP/1.0\r\n\r\n").contains("\"weight\" : 20"))
            #expect(try scene.run("server", "weight", server, "heavy").code == 1)
            #expect(try scene.run("server", "eject", server, "--for", "5m").code == 0)
            #expect(try scene.run("server", "list").text.contains("ejected"))
            #expect(try scene.run("server", "uneject", server).code == 0)
            let level = try scene.run("log-level", "debug")
            #expect(level.code == 0, "\(level)")
            let unknown = try scene.run("forget", "0123456789abcdef")
            #expect(unknown.code == 1 && unknown.text.contains("no session"), "\(unknown)")
            let top = try scene.run("top", "--count", "1", "--interval", "200ms")
            #expect(top.code == 0 && top.text.contains("2 of 2 servers healthy"), "\(top)")
            try scene.end()
            #expect(scene.command.complained.contains("admin: weight \(server) 20 by user"))
        }

        @Test("errors that the file has come to have stop no command but those that take the file", arguments: [0, 1])
        func brokenFile(kind: Int) throws {
            let scene = try Scene()
            let good = try String(contentsOfFile: scene.file, encoding: .utf8)
            let broken =
                kind == 0 ? good + "\n[upstream.mcp.session]\naffinty = \"signed\"\n" : good + "\n[upstream.mcp\n"
            try broken.write(toFile: scene.file, atomically: true, encoding: .utf8)
            let server = "mcp/\(scene.replicas[0].address)"
            let status = try scene.run("status")
            #expect(status.code == 0 && status.text.contains(server), "\(status)")
            #expect(try scene.run("drain", server).code == 0)
            #expect(try scene.run("drain", server, "--undo").code == 0)
            let short = try scene.run("drain", "\(scene.replicas[0].address)")
            #expect(short.code == 1 && short.text.contains("did you mean \(server)?"), "\(short)")
            #expect(try scene.run("sessions").code == 0)
            #expect(try scene.run("whose", "nobody").text.contains("berth.toml") == false)
            let reload = try scene.run("reload")
            #expect(reload.code != 0 && reload.text.contains("berth.toml:"), "\(reload)")
            try scene.end()
        }

        @Test("status says why a server is down")
        func reasons() throws {
            let scene = try Scene()
            let address = scene.replicas[0].address
            scene.replicas[0].stop()
            try eventually("the reason") {
                try scene.run("status").text.contains("mcp/\(address) is down: connection refused\n")
            }
            try scene.end()
        }

        @Test("a socket that nobody listens at is replaced, one that somebody does is not, and a file stays")
        func stale() throws {
            let first = try Scene()
            let second = try BerthCommand(["run", first.file], in: first.folder)
            #expect(try second.exitCode() == 1)
            #expect(second.complained.contains("cannot listen on unix:"), "\(second.complained)")
            first.command.signal(SIGKILL)
            _ = try first.command.exitCode()

            let third = try BerthCommand(["run", first.file], in: first.folder)
            try eventually("it runs again: \(third.complained)") { third.complained.contains("admin on unix:") }
            #expect(try ask(first.socket, "GET /healthz HTTP/1.0\r\n\r\n").hasSuffix("ok\n"))
            third.signal(SIGTERM)
            #expect(try third.exitCode() == 0)
            for replica in first.replicas { replica.stop() }

            let file = try first.folder.write("precious", "text")
            #expect(throws: SystemError.self) { _ = try UnixSocket.listen(at: file) }
            #expect(try String(contentsOfFile: file, encoding: .utf8) == "text")
            let long = "/tmp/" + String(repeating: "x", count: 110)
            #expect(throws: SystemError.self) { _ = try UnixSocket.listen(at: long) }
        }

        @Test("the file of the socket goes with the process, and stays when another one has taken over")
        func socketFile() throws {
            let scene = try Scene()
            scene.command.signal(SIGUSR2)
            // Its end itself is not seen: what tells of it is the successor's as well.
            try eventually("it has handed over: \(scene.command.complained)") {
                scene.command.complained.contains("drained")
            }
            #expect(FileManager.default.fileExists(atPath: scene.socket))
            let stats = try ask(scene.socket, "GET /stats HTTP/1.0\r\n\r\n")
            let digits = try #require(stats.split(separator: "\"pid\" : ").last?.prefix { $0.isNumber })
            let successor = try #require(pid_t(digits))

            kill(successor, SIGTERM)
            try eventually("the file is gone") { !FileManager.default.fileExists(atPath: scene.socket) }
            for replica in scene.replicas { replica.stop() }
        }

        /// A server that opens a session, answers calls, and has a stream to listen on.
        private func sessionReplica() throws -> RecordingReplica {
            try RecordingReplica { request in
                let text = String(decoding: request.body, as: UTF8.self)
                if request.start.hasPrefix("GET") { return [.eventStreamHead, .text("5\r\ndata:\r\n")] }
                let session = text.contains("initialize") ? "mcp-session-id: s-1\r\n" : ""
                return [
                    .answer(
                        #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#,
                        fields: session + "content-type: application/json\r\n")
                ]
            }
        }

        private func configuration(_ folder: TemporaryFolder, _ replica: RecordingReplica) throws -> String {
            try folder.write(
                "berth.toml",
                """
                [global]
                admin = "unix:admin.sock"
                secret = "file:\(folder.path("keys"))"
                workers = 1
                [listen]
                http = "127.0.0.1:0"
                [upstream.mcp]
                servers = ["\(replica.address)"]
                """)
        }

        @Test("a call that is followed names its session, and the digest is good for whatever is asked of it")
        func followed() throws {
            let folder = try TemporaryFolder()
            let replica = try sessionReplica()
            defer { replica.stop() }
            let file = try configuration(folder, replica)
            let command = try BerthCommand(["run", file], in: folder)
            let plain = SocketAddress.loopback(port: try command.port(after: "listening on http://"))
            let logs = try BerthCommand(["logs", "--follow", "--tool", "search", "--config", file], in: folder)

            func post(_ body: String, _ session: String = "") throws -> Client.Response {
                let client = try Client(plain)
                let field = session.isEmpty ? "" : "Mcp-Session-Id: \(session)\r\n"
                client.send(
                    "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\(field)"
                        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
                return try client.response()
            }
            let opened = try post(#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#)
            let session = try #require(opened.values("mcp-session-id").first)
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#
            try eventually("a line: \(logs.printed) \(logs.complained)") {
                try post(call, session).status == 200 && logs.printed.contains("\n")
            }
            let line = try #require(logs.printed.split(separator: "\n").first)
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let digest = try #require(object?["session"] as? String)
            #expect(object?["tool"] as? String == "search")
            #expect(digest.count == 16 && !line.contains(session))

            func berth(_ arguments: String...) throws -> String {
                let other = try BerthCommand(arguments + ["--config", file], in: folder)
                let code = try other.exitCode()
                return "\(code) " + other.printed + other.complained
            }
            #expect(try berth("sessions").contains(digest))
            #expect(try berth("whose", session).contains(digest))
            #expect(
                try ask(folder.path("admin.sock"), "GET /events/session?id=\(digest) HTTP/1.0\r\n\r\n")
                    .contains("\"search\""))
            let stream = try Client(plain)
            stream.send(
                "GET /mcp HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nMcp-Session-Id: \(session)\r\n\r\n")
            #expect(try stream.head().status == 200)
            #expect(try berth("forget", digest).hasPrefix("0 "))
            while try stream.chunk() != nil {}
            #expect(try post(call, session).status == 404)
            let metrics = try ask(folder.path("admin.sock"), "GET /metrics HTTP/1.0\r\n\r\n")
            #expect(metrics.contains("mcp_server_session_duration_seconds_count{upstream=\"mcp\""), "\(metrics)")

            command.signal(SIGTERM)
            #expect(try command.exitCode() == 0, "\(command.complained)")
            try eventually("the command ends: \(logs.complained)") { !logs.isRunning }
            #expect(logs.complained.contains("the connection has ended"))
        }

        @Test("a body comes whole, in pieces or in chunks, and not beyond its bound")
        func bodies() throws {
            let scene = try Scene()
            let call = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
            let head = "POST /mcp HTTP/1.0\r\nContent-Type: application/json\r\n"
            let whole = try ask(scene.socket, head + "Content-Length: \(call.utf8.count)\r\n\r\n" + call)
            #expect(whole.contains("\"result\":{}"), "\(whole)")
            let chunked = try ask(
                scene.socket,
                "POST /mcp HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"
                    + "\(String(call.utf8.count, radix: 16))\r\n\(call)\r\n0\r\n\r\n")
            #expect(chunked.contains("\"result\":{}"), "\(chunked)")
            let large = try ask(scene.socket, head + "Content-Length: 65537\r\n\r\n")
            #expect(large.hasPrefix("HTTP/1.1 413"), "\(large)")
            let get = try ask(scene.socket, "GET /healthz HTTP/1.0\r\nContent-Length: 1\r\n\r\nx")
            #expect(get.hasPrefix("HTTP/1.1 413"), "\(get)")
            try scene.end()
        }

        @Test("at both: changes at the address need a token, and strange names are turned away")
        func both() throws {
            let scene = try Scene(admin: "[\"unix:admin.sock\", \"127.0.0.1:0\"]")
            let port = try scene.command.port(after: "admin on http://")
            func status(_ request: String) throws -> Int {
                let client = try Client(.loopback(port: port))
                client.send(request)
                return try client.response().status
            }
            #expect(try status("GET /stats HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n") == 200)
            #expect(try status("GET /stats HTTP/1.1\r\nHost: attacker.example:\(port)\r\n\r\n") == 421)
            #expect(try status("POST /reload HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == 403)
            let socket = try ask(
                scene.socket, "GET /stats HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n")
            #expect(socket.hasPrefix("HTTP/1.1 200"))
            let reload = try scene.run("reload")
            #expect(reload.code == 0 && reload.text.contains("unchanged"), "\(reload)")
            try scene.end()
        }
    }
}
