import Foundation
import Glibc
import Kernel
import TestSupport
import Testing

extension SocketTests {
    /// Berth under a service manager that the tests play.
    @Suite("Service manager", .serialized)
    struct ServiceTests {
        /// The socket that a service manager listens at, and what it heard.
        private final class Manager {
            let address: String
            private let socket: CInt
            private(set) var heard: [String] = []

            /// `name` with "@" in front is in the abstract namespace.
            init(_ name: String) throws {
                address = name
                socket = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
                var path = sockaddr_un()
                path.sun_family = sa_family_t(AF_UNIX)
                let bytes = Array(name.utf8)
                withUnsafeMutableBytes(of: &path.sun_path) { space in
                    space.copyBytes(from: bytes)
                    if bytes[0] == UInt8(ascii: "@") { space[0] = 0 }
                }
                let length = socklen_t(2 + bytes.count)
                let code = withUnsafePointer(to: &path) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
                }
                guard code == 0 else { throw TimedOut(description: "no socket at \(name)") }
            }

            deinit { close(socket) }

            /// Waits for the next message; its lines.
            func next(_ what: String) throws -> [String] {
                guard isReady(socket, for: POLLIN, until: Instant.now() + defaultTimeout) else {
                    throw TimedOut(description: "no \(what) after \(heard)")
                }
                var space = [UInt8](repeating: 0, count: 4_096)
                let count = recv(socket, &space, space.count, 0)
                let text = String(decoding: space.prefix(max(0, count)), as: UTF8.self)
                heard.append(text)
                return text.split(separator: "\n").map(String.init)
            }
        }

        @Test(
            "it is told of the start, reloads, upgrades with the new process, and the stop",
            arguments: ["/path", "@abstract"])
        func notifications(_ kind: String) throws {
            let folder = try TemporaryFolder()
            let name = kind == "/path" ? folder.path("s") : "@berth-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            let manager = try Manager(name)
            let berth = try UpgradingBerth(environment: ["NOTIFY_SOCKET": name])
            #expect(try manager.next("start") == ["READY=1", "STATUS=Serving"])

            let before = Instant.now()
            berth.command.signal(SIGHUP)
            let reloading = try manager.next("reload")
            #expect(reloading.first == "RELOADING=1" && reloading.last == "STATUS=Reloading the configuration")
            let time = reloading.first { $0.hasPrefix("MONOTONIC_USEC=") }.flatMap { UInt64($0.dropFirst(15)) } ?? 0
            let told = Instant(nanoseconds: time * 1_000 + 999)
            #expect(before <= told && told <= Instant.now())
            #expect(try manager.next("end of the reload") == ["READY=1", "STATUS=Serving"])

            try berth.replaceProgram(with: "exit 3")
            berth.command.signal(SIGUSR2)
            #expect(try manager.next("upgrade").first == "RELOADING=1")
            #expect(try manager.next("end of the upgrade") == ["READY=1", "STATUS=Serving; the last upgrade failed"])

            try berth.replaceProgram(with: nil)
            berth.command.signal(SIGUSR2)
            #expect(try manager.next("upgrade").first == "RELOADING=1")
            let replaced = try manager.next("main process")
            #expect(try replaced == ["MAINPID=\(berth.process)", "READY=1", "STATUS=Serving"])
            #expect(try berth.command.exitCode() == 0)
            kill(try berth.process, SIGTERM)
            #expect(try manager.next("stop") == ["STOPPING=1", "STATUS=Draining"])
        }

        /// Starts Berth with `listener` as descriptor 3, as systemd does.
        private func activate(_ file: String, _ listener: Descriptor, pid: String = "$$") throws -> ChildProcess {
            let program = try BerthCommand.executable().path
            return try ChildProcess.start(
                "/bin/bash",
                arguments: [
                    "bash", "-c",
                    "exec 3<&\(listener.raw); LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID=\(pid) exec '\(program)' run '\(file)' 2>'\(file).log'",
                ], environment: ThisProcess.environment, keeping: [listener])
        }

        private func end(_ child: ChildProcess) throws -> ChildProcess.Outcome {
            var outcome = ChildProcess.Outcome.running
            try eventually("the process has ended") {
                outcome = child.outcome()
                return outcome != .running
            }
            return outcome
        }

        @Test(
            "with a socket unit a restart refuses and loses no connection, whatever the number of workers",
            arguments: [1, 3])
        func socketUnit(_ workers: Int) throws {
            let folder = try TemporaryFolder()
            let replica = try RecordingReplica { _ in [.answer("ok")] }
            defer { replica.stop() }
            let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
            defer { Socket.close(listener) }
            let address = try #require(Socket.localAddress(listener))
            // The queue holds what comes before the first start, too.
            let early = try Client(address)
            early.send("GET /early HTTP/1.1\r\nHost: a\r\n\r\n")
            let file = try folder.write(
                "unit.toml",
                """
                [global]
                workers = \(workers)
                secret = "file:\(folder.path("unit.keys"))"
                [listen]
                http = "\(address)"
                [upstream.mcp]
                servers = ["\(replica.address)"]
                """)
            let load = UpgradeLoad(address)
            try load.startNewConnections(2)
            for round in 0..<3 {
                let child = try activate(file, listener)
                if round == 0 { #expect(try early.response().text == "ok") }
                let before = load.calls.value
                try eventually("calls in round \(round)") { load.calls.value > before + 50 }
                child.stop(force: false)
                #expect(try end(child) == .exited(0))
            }
            let last = try activate(file, listener)
            let before = load.calls.value
            try eventually("calls at the end") { load.calls.value > before + 20 }
            try load.stop()
            last.stop(force: false)
            #expect(try end(last) == .exited(0))
            // Sockets of Berth's own close with it: what their queues held was served by the drain.
            #expect(load.failures.isEmpty, "\(load.failures.count): \(load.failures.prefix(5))")
        }

        @Test("sockets that are meant for another process are not touched")
        func notOurs() throws {
            let folder = try TemporaryFolder()
            let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
            defer { Socket.close(listener) }
            let address = try #require(Socket.localAddress(listener))
            let file = try folder.write(
                "unit.toml",
                """
                [global]
                secret = "file:\(folder.path("unit.keys"))"
                [listen]
                http = "\(address)"
                [upstream.mcp]
                servers = ["127.0.0.1:9"]
                """)

            let child = try activate(file, listener, pid: "1")

            #expect(try end(child) == .exited(1), "the address is taken, by the socket that it does not use")
        }
    }
}
