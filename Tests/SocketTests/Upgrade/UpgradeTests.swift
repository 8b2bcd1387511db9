import Foundation
import Glibc
import Kernel
import TestSupport
import Testing

extension SocketTests {
    /// Whole processes that replace each other.
    @Suite("Upgrade", .serialized)
    struct UpgradeTests {
        private static func answer(_ request: RecordedRequest) -> [ReplicaStep] {
            request.target == "/events" ? [.eventStreamHead, .event("hello")] : [.answer("ok")]
        }

        @Test(
            "under load: no call fails, streams end properly and begin again, counters go on, the old process exits with 0"
        )
        func underLoad() throws {
            let berth = try UpgradingBerth { Self.answer($0) }
            let load = UpgradeLoad(berth.plain)
            try load.startNewConnections(4)
            try load.startKeepAlive(4)
            try load.startStreams(4)
            try eventually("some calls") { load.calls.value > 200 }

            try berth.upgrade()

            let before = load.calls.value
            try eventually("calls after the upgrade") { load.calls.value > before + 200 }
            #expect(try berth.command.exitCode() == 0)
            #expect(load.reconnects.value >= 8, "every stream and every kept connection moved")
            try load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            #expect(berth.command.complained.contains("has taken over"))
            try eventually("every call is counted, by both processes together") {
                try Status(from: berth.admin).upstreams[0].servers[0].requests >= load.calls.value
            }
        }

        @Test("twenty upgrades in a row under new connections, with 2, 1 and 3 workers: none fails")
        func twenty() throws {
            let berth = try UpgradingBerth()
            let load = UpgradeLoad(berth.plain)
            try load.startNewConnections(8)
            for round in 0..<20 {
                try berth.configure(workers: [1, 3, 2][round % 3])
                try berth.upgrade()
                #expect(try Status(from: berth.admin).workers == [1, 3, 2][round % 3])
            }
            try load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.count): \(load.failures.prefix(5))")
            #expect(load.calls.value > 200)
            #expect(try berth.command.exitCode() == 0)
        }

        @Test("a connection that waits in the queue of a socket is not lost")
        func queue() throws {
            let berth = try UpgradingBerth(workers: 1)
            // A stopped process accepts nothing: what comes now waits.
            let old = try berth.process
            kill(old, SIGSTOP)
            let waiting = try (0..<50).map { _ in try Client(berth.plain) }
            for client in waiting { client.send("POST /queued HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") }
            kill(old, SIGUSR2)
            kill(old, SIGCONT)

            for client in waiting { #expect(try client.response().text == "ok") }
            try eventually("another process") { (try? berth.process).map { $0 != old } ?? false }
        }

        @Test("a call in flight is finished by the old process")
        func inFlight() throws {
            let berth = try UpgradingBerth { $0.target == "/slow" ? [] : [.answer("ok")] }
            let slow = try Client(berth.plain)
            slow.send("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try eventually("the call at the replica") { berth.replica.requests.contains { $0.target == "/slow" } }
            let connection = try #require(berth.replica.requests.first { $0.target == "/slow" }).connection

            try berth.upgrade()

            #expect(berth.command.isRunning)
            berth.replica.push(.answer("late"), to: connection)
            #expect(try slow.response().text == "late")
            #expect(try berth.command.exitCode() == 0)
        }

        private static let bad: [(script: String?, more: String, says: String)] = [
            ("exit 3", "", "the new process ended with exit code 3"),
            ("kill -9 $$", "", "the new process was ended by signal 9"),
            ("exec sleep 60", "upgrade_timeout", "the new process was not ready within 1.0 s"),
            (nil, "flounder = 1", "the new process ended with exit code 2"),
            (nil, "[[listen]]\nhttp = \"REPLICA\"", "the new process says: cannot listen on"),
        ]

        @Test(
            "a program that exits, crashes, hangs or cannot start changes nothing; the next upgrade succeeds",
            arguments: bad.indices)
        func badProgram(_ index: Int) throws {
            let berth = try UpgradingBerth()
            let (script, more, says) = Self.bad[index]
            let old = try berth.process
            let kept = try Client(berth.plain)
            let load = UpgradeLoad(berth.plain)
            try load.startNewConnections(2)
            if let script { try berth.replaceProgram(with: script) }
            if more == "upgrade_timeout" {
                try berth.shortenUpgrades()
            } else {
                try berth.configure(workers: 2, more: more.replacing("REPLICA", with: "\(berth.replica.address)"))
            }
            kill(old, SIGUSR2)

            try eventually("it says why: \(berth.command.complained)") { berth.command.complained.contains(says) }
            #expect(try berth.process == old)
            #expect(try Status(from: berth.admin).upgrade.failures == 1)
            #expect(try Status(from: berth.admin).upgrade.lastError?.contains(says) == true)
            kept.send("POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            #expect(try kept.response().text == "ok")
            kept.close()

            try berth.replaceProgram(with: nil)
            try berth.configure(workers: 2)
            // A second is too short for Berth itself on a busy machine.
            if more == "upgrade_timeout" { try berth.reload() }
            try berth.upgrade()
            try load.stop()
            #expect(load.failures.isEmpty, "\(load.failures.prefix(5))")
            #expect(try berth.command.exitCode() == 0)
        }

        @Test("SIGTERM while an upgrade runs ends the new process and drains the old one")
        func stopped() throws {
            let berth = try UpgradingBerth()
            try berth.replaceProgram(with: "echo $$ > \(berth.folder.path("child"))\nexec sleep 60")
            berth.command.signal(SIGUSR2)
            try eventually("the new program runs") { berth.child != nil }
            berth.command.signal(SIGUSR2)
            try eventually("it is refused: \(berth.command.complained)") {
                berth.command.complained.contains("an upgrade is under way")
            }

            berth.command.signal(SIGTERM)

            #expect(try berth.command.exitCode() == 0)
            #expect(berth.child.map { kill($0, 0) } != 0, "the new one is gone")
        }

        @Test("learned sessions are known to the new process")
        func learned() throws {
            let berth = try UpgradingBerth(affinity: "learned") { request in
                String(decoding: request.body, as: UTF8.self).contains("initialize")
                    ? [.answer("{}", fields: "mcp-session-id: abc\r\n")] : [.answer("ok")]
            }
            let first = try Client(berth.plain)
            let initialize = #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#
            first.send(
                "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(initialize.utf8.count)\r\n\r\n\(initialize)")
            #expect(try first.response().values("mcp-session-id") == ["abc"])

            try berth.upgrade()

            for (id, status) in [("abc", 200), ("other", 404)] {
                let client = try Client(berth.plain)
                client.send("POST /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: \(id)\r\nContent-Length: 0\r\n\r\n")
                #expect(try client.response().status == status)
            }
        }

        @Test("POST /upgrade begins one for whoever shows the token, and says that one is under way")
        func adminAddress() throws {
            let berth = try UpgradingBerth()
            let old = try berth.process
            func post(_ token: String) throws -> Client.Response {
                let client = try Client(berth.admin)
                client.send(
                    "POST /upgrade HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\nContent-Length: 0\r\n\r\n")
                return try client.response()
            }
            let token = "0123456789abcdef0123456789abcdef"
            #expect(try post("wrong").status == 401)
            try berth.replaceProgram(with: "exec sleep 60")
            #expect(try post(token).text.contains("started"))
            try eventually("it runs") { try Status(from: berth.admin).upgrade.running }
            let second = try post(token)
            #expect(second.status == 422 && second.text.contains("an upgrade is under way"))
            #expect(try berth.process == old)
            berth.command.signal(SIGTERM)
            #expect(try berth.command.exitCode() == 0)
        }

        @Test("berth upgrade waits for the new process, and says why there is none; the pid file follows")
        func command() throws {
            let berth = try UpgradingBerth()
            let old = try berth.process
            #expect(try berth.pidInFile == old)
            // The command finds the admin address in the file: it needs the port that the kernel chose.
            let file = try berth.commandFile()
            let upgrade = try BerthCommand(["upgrade", "--config", file], in: berth.folder)
            #expect(try upgrade.exitCode() == 0, "\(upgrade.complained)")
            let new = try berth.process
            #expect(upgrade.printed == "process \(new) has taken over from \(old)\n")
            #expect(new != old)
            try eventually("the pid file names it") { try berth.pidInFile == new }

            try berth.replaceProgram(with: "exit 3")
            let failed = try BerthCommand(["upgrade", "--config", file], in: berth.folder)
            #expect(try failed.exitCode() == 1)
            #expect(failed.complained.contains("exit code 3"), "\(failed.complained)")
            #expect(try berth.process == new)
        }
    }
}
