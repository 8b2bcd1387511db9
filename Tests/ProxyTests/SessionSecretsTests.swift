import Foundation
import Glibc
import Kernel
import Logging
import TLS
import TestSupport
import Testing

@testable import Proxy

/// Keys and ticket secrets over time: the clock is a number here, the files are real.
@Suite("Session secrets")
struct SessionSecretsTests {
    private let folder: KeyFileTests.Folder
    private let log: Logger
    /// A time in the middle of a period of ticket secrets.
    private let now: Int64 = 41_000 * TicketRatchet.periodSeconds + 1_000

    init() throws {
        folder = try KeyFileTests.Folder()
        var log = Logger(label: "tests")
        log.logLevel = .critical
        self.log = log
    }

    private func line(_ byte: UInt8) -> String { Data(repeating: byte, count: 32).base64EncodedString() + "\n" }
    private func key(_ byte: UInt8) -> SigningKey { SigningKey([UInt8](repeating: byte, count: 32)) }

    /// Writes the key file as if that had been done then.
    @discardableResult
    private func write(_ bytes: [UInt8], at time: Int64) throws -> String {
        let path = try folder.write(bytes.map { line($0) }.joined())
        touch(path, at: time)
        return path
    }

    private func touch(_ path: String, at time: Int64) {
        let times = [timespec(tv_sec: Int(time), tv_nsec: 0), timespec(tv_sec: Int(time), tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, times, 0) == 0)
    }

    private func load(_ path: String, at time: Int64) throws -> SessionSecrets {
        try SessionSecrets(file: path, at: time, log: log)
    }

    // MARK: Keys

    @Test("a new key on top opens at once and signs two minutes later; a restart in between changes nothing")
    func rotation() throws {
        let path = try write([1], at: now - 1_000)
        var running = try load(path, at: now)
        #expect(running.keys == [key(1)])
        #expect(running.changedKeys(at: now, log: log) == nil)

        try write([2, 1], at: now + 10)
        #expect(running.changedKeys(at: now + 10, log: log) == [key(1), key(2)], "it opens")
        #expect(running.changedKeys(at: now + 129, log: log) == nil)
        #expect(try load(path, at: now + 60).keys == [key(1), key(2)], "a Berth that starts now waits as well")
        #expect(running.changedKeys(at: now + 130, log: log) == [key(2), key(1)], "it signs")
        #expect(running.changedKeys(at: now + 131, log: log) == nil)
        #expect(try load(path, at: now + 130).keys == [key(2), key(1)])

        try write([2], at: now + 90_000)
        #expect(running.changedKeys(at: now + 90_000, log: log) == [key(2)])
    }

    @Test("of two Berths of which one has the new file a little earlier, each opens what the other signs, at any time")
    func fleet() throws {
        let one = try write([1], at: now - 1_000)
        let other = folder.path("other")
        try FileManager.default.copyItem(atPath: one, toPath: other)
        var first = try load(one, at: now)
        var second = try load(other, at: now)
        for second0 in 0..<300 {
            let time = now + Int64(second0)
            if second0 == 10 { try write([2, 1], at: time) }
            if second0 == 70 {
                try FileManager.default.removeItem(atPath: other)
                try FileManager.default.copyItem(atPath: one, toPath: other)
                touch(other, at: time)
            }
            _ = first.changedKeys(at: time, log: log)
            _ = second.changedKeys(at: time, log: log)
            #expect(second.keys.contains(first.keys[0]), "second \(second0)")
            #expect(first.keys.contains(second.keys[0]), "second \(second0)")
        }
        #expect(first.keys == [key(2), key(1)])
    }

    @Test("a file that became corrupt, open to others or empty changes nothing while running, and stops a start")
    func corrupt() throws {
        let path = try write([1], at: now - 1_000)
        var running = try load(path, at: now)
        for (text, mode) in [("no key\n", 0o600), ("", 0o600), (line(2), 0o666)] {
            _ = try folder.write(text)
            chmod(path, mode_t(mode))
            #expect(running.changedKeys(at: now, log: log) == nil)
            #expect(throws: StartError.self) { try load(path, at: now) }
        }
        unlink(path)
        #expect(running.changedKeys(at: now, log: log) == nil)
        #expect(!FileManager.default.fileExists(atPath: path), "none is made while running")
        #expect(running.keys == [key(1)])
    }

    @Test("a default file that exists must be good; where none can be made, keys are temporary")
    func defaultFile() throws {
        let bad = try folder.write("no key\n")
        #expect(throws: StartError.self) { try SessionSecrets(default: bad, at: now, log: log) }
        let temporary = try SessionSecrets(default: "/proc/berth/keys", at: now, log: log)
        #expect(temporary.keys.count == 1 && temporary.tickets.secrets.count == 3)
        let made = try SessionSecrets(default: folder.path("new/session.keys"), at: now, log: log)
        #expect(try made.keys == KeyFile.load(folder.path("new/session.keys")))
    }

    @Test("a worker signs with the keys it is handed, and opens what it signed before", arguments: 1...4)
    func worker(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = SessionServer(stage, 0)
        let before = SessionTests.open(stage)
        stage.post(.keys([ProxyStage.key(2), ProxyStage.key(1)]))
        stage.run(for: .milliseconds(5))
        let after = SessionTests.open(stage)
        stage.post(.keys([ProxyStage.key(2)]))
        stage.run(for: .milliseconds(5))
        let client = stage.connect()

        #expect(SessionTests.call(stage, after.session, on: client).status == 200, "seed \(seed)")
        #expect(SessionTests.call(stage, before.session, on: client).status == 404, "its key is gone, seed \(seed)")
        #expect(server.server.openConnections >= 0)
    }

    // MARK: Tickets

    @Test("the ticket secret is of its own: equal session keys have different ones, Berths with one file the same")
    func ownSecret() throws {
        let path = try write([1], at: now - 1_000)
        let first = try load(path, at: now)
        let second = try load(path, at: now)
        #expect(first.tickets.secrets == second.tickets.secrets)
        #expect(Set(first.tickets.secrets).count == 3)
        unlink(path + ".tickets")
        let third = try load(path, at: now)
        #expect(Set(third.tickets.secrets).isDisjoint(with: first.tickets.secrets))
    }

    @Test("it changes every twelve hours, alike in all Berths; tickets of the period before are opened, older ones not")
    func ratchet() throws {
        let path = try write([1], at: now - 1_000)
        var running = try load(path, at: now)
        let copied = try String(contentsOfFile: path + ".tickets", encoding: .utf8)
        var used = [running.tickets.secrets[0]]
        for day in 1...6 {
            let time = now + Int64(day) * TicketRatchet.periodSeconds
            running.renewTickets(at: time, log: log)
            let secrets = running.tickets.secrets
            #expect(!used.contains(secrets[0]), "it is new")
            #expect(secrets.contains(used[day - 1]), "the one before still opens")
            if day > 1 { #expect(!secrets.contains(used[day - 2]), "the one before that does not") }
            used.append(secrets[0])
            // Nothing earlier than the last period follows from the file.
            let stored = try #require(try TicketFile.read(path + ".tickets"))
            #expect(stored.period == TicketRatchet.period(at: time) - 1)
            #expect(stored.secret == used[day - 1])
        }
        // A Berth that was given a copy of the file at the start and has been down since.
        let late = folder.path("late")
        try FileManager.default.copyItem(atPath: path, toPath: late)
        chmod(late, 0o600)
        try Data(copied.utf8).write(to: URL(filePath: late + ".tickets"))
        chmod(late + ".tickets", 0o600)
        let other = try load(late, at: now + 6 * TicketRatchet.periodSeconds)
        #expect(other.tickets.secrets == running.tickets.secrets)
    }

    @Test("a file of a later time is left alone; the process has a secret of its own, which stays")
    func future() throws {
        let path = try write([1], at: now - 1_000)
        _ = try load(path, at: now + 10 * TicketRatchet.periodSeconds)
        let text = try String(contentsOfFile: path + ".tickets", encoding: .utf8)
        var behind = try load(path, at: now)
        let secrets = behind.tickets.secrets
        #expect(secrets.count == 3)
        behind.renewTickets(at: now + 1, log: log)
        #expect(behind.tickets.secrets == secrets)
        #expect(try String(contentsOfFile: path + ".tickets", encoding: .utf8) == text)
    }

    @Test(
        "a ticket file that is corrupt stops the start",
        arguments: [
            "", "1\n", "x \(String(repeating: "A", count: 43))=", "1 AAAA", "-1 \(String(repeating: "A", count: 43))=",
        ])
    func corruptTickets(_ text: String) throws {
        let path = try write([1], at: now - 1_000)
        try Data(text.utf8).write(to: URL(filePath: path + ".tickets"))
        chmod(path + ".tickets", 0o600)
        let error = #expect(throws: StartError.self) { try load(path, at: now) }
        #expect(error?.description.contains("expected a period and a base64 secret") == true)
    }
}
