import Foundation
import Glibc
import Kernel
import Testing

extension SocketTests {
    @Suite("A log that cannot be written", .serialized)
    struct LogPressureTests {
        /// A process with an access log, a server behind it, and a client.
        private final class Rig {
            let replica: RecordingReplica
            let command: BerthCommand
            let admin: SocketAddress
            private let client: Client
            private(set) var calls = 0

            init(log: String, launcher: [String] = [], pipe: FileHandle? = nil, in folder: TemporaryFolder) throws {
                let answer = #"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#
                replica = try RecordingReplica { _ in
                    [.answer(answer, fields: "content-type: application/json\r\n")]
                }
                let file = try folder.write(
                    "berth.toml",
                    """
                    [global]
                    workers = 1
                    admin = "127.0.0.1:0"
                    secret = "file:\(folder.path("keys"))"
                    access_log = { path = "\(log)" }
                    [listen]
                    http = "127.0.0.1:0"
                    [upstream.mcp]
                    servers = ["\(replica.address)"]
                    """)
                command = try BerthCommand(["run", file], in: folder, launcher: launcher, pipe: pipe)
                client = try Client(.loopback(port: command.port(after: "listening on http://")))
                admin = .loopback(port: try command.port(after: "admin on http://"))
            }

            deinit { replica.stop() }

            /// Makes calls, one after the other.
            func call(_ count: Int) throws {
                let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}"#
                let request = "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                for _ in 0..<count {
                    client.send(request)
                    #expect(try client.response().status == 200)
                    calls += 1
                }
            }

            /// A counter of the access log on the page of metrics.
            func count(_ name: String) throws -> Int {
                let client = try Client(admin)
                client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
                let start = "\(name){log=\"access\"} "
                let line = try client.response().text.split(separator: "\n").first { $0.hasPrefix(start) }
                return line.flatMap { Int($0.dropFirst(start.count)) } ?? -1
            }

            func written() throws -> Int { try count("berth_log_lines_total") }
            func dropped() throws -> Int { try count("berth_log_dropped_lines_total") }

            /// Makes calls until some of their lines were dropped. A call that waited for the log would never be answered.
            func callUntilDropped() throws {
                let most = calls + 40_000
                while try dropped() < 200 {
                    guard calls < most else { throw TimedOut(description: "no line was dropped") }
                    try call(500)
                }
            }

            /// Expects that each call has one whole line in `log`, or was counted as dropped.
            func expectWhole(_ log: Data, _ written: Int, _ dropped: Int) {
                let lines = log.split(separator: UInt8(ascii: "\n"))
                #expect(log.last == UInt8(ascii: "\n"))
                let broken = lines.filter { line in
                    let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any]
                    return object?["tool"] as? String != "echo" || object?["outcome"] as? String != "success"
                }
                #expect(broken.isEmpty, "\(String(decoding: broken.first ?? Data(), as: UTF8.self))")
                #expect(lines.count == written)
                #expect(written + dropped == calls)
                #expect(dropped > 0)
                print("\(calls) calls: \(lines.count) whole lines, \(dropped) dropped")
            }
        }

        @Test(
            "A full disk delays no call; drops are counted and told; with space again there are whole lines again",
            .enabled(if: PrivateMount.problem == nil, "\(PrivateMount.problem ?? "") (a private mount)"))
        func fullDisk() throws {
            let folder = try TemporaryFolder()
            let disk = folder.path("disk")
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
            let rig = try Rig(
                log: disk + "/access.jsonl", launcher: PrivateMount.launcher(at: disk, size: "1m"), in: folder)
            let log = URL(filePath: "/proc/\(rig.command.identifier)/root\(disk)/access.jsonl")

            try rig.callUntilDropped()
            try eventually("it is reported") {
                rig.command.complained.contains("access.jsonl cannot be written: write: No space left on device")
            }
            // Nothing is written meanwhile: the disk is full.
            var whole = try Data(contentsOf: log)
            #expect(whole.count == 1 << 20)
            #expect(truncate(log.path, 0) == 0)
            try eventually("lines that waited are there") { try !Data(contentsOf: log).isEmpty }
            try eventually("all of them are, or the disk is full again") {
                let new = try Data(contentsOf: log)
                let lines = (whole + new).count { $0 == UInt8(ascii: "\n") }
                return try lines == rig.written() || new.count == 1 << 20
            }
            whole += try Data(contentsOf: log)
            #expect(truncate(log.path, 0) == 0)

            try rig.call(50)

            let dropped = try rig.dropped()
            try eventually("the last calls have lines") {
                let lines = try (whole + Data(contentsOf: log)).count { $0 == UInt8(ascii: "\n") }
                return lines == rig.calls - dropped
            }
            rig.expectWhole(whole + (try Data(contentsOf: log)), try rig.written(), dropped)
            rig.command.signal(SIGTERM)
            #expect(try rig.command.exitCode() == 0)
        }

        enum Kind: String, CaseIterable, Sendable {
            case standardOutput, fifo
        }

        @Test(
            "A reader that stops delays no call; drops are counted; when it reads again, lines are whole",
            arguments: Kind.allCases)
        func stoppedReader(kind: Kind) throws {
            let folder = try TemporaryFolder()
            let pipe = try reader(kind, folder)
            let rig = try Rig(
                log: kind == .fifo ? folder.path("fifo") : "stdout", pipe: pipe.writer, in: folder)
            try pipe.writer?.close()

            try rig.callUntilDropped()
            try eventually("it is reported") { rig.command.complained.contains(" lost") }

            var log = Data()
            func read(_ what: String, until isThere: () throws -> Bool) throws {
                try eventually(what) {
                    log += Self.available(pipe.descriptor)
                    return try isThere()
                }
            }
            func lines() -> Int { log.count { $0 == UInt8(ascii: "\n") } }
            try read("what waited") { try lines() == rig.written() }
            let dropped = try rig.dropped()
            try rig.call(50)
            try read("the last calls") { lines() == rig.calls - dropped }
            rig.expectWhole(log, try rig.written(), dropped)
            rig.command.signal(SIGTERM)
            #expect(try rig.command.exitCode() == 0)
            close(pipe.descriptor)
        }

        /// The end that the test reads, and the one that the process gets as its standard output, unless it opens a FIFO.
        private func reader(_ kind: Kind, _ folder: TemporaryFolder) throws -> (descriptor: CInt, writer: FileHandle?) {
            if kind == .fifo {
                #expect(mkfifo(folder.path("fifo"), 0o600) == 0)
                return (open(folder.path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC), nil)
            }
            var ends: [CInt] = [0, 0]
            guard Glibc.pipe(&ends) == 0 else { throw TimedOut(description: "no pipe") }
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], FileHandle(fileDescriptor: ends[1], closeOnDealloc: true))
        }

        private static func available(_ descriptor: CInt) -> Data {
            var space = [UInt8](repeating: 0, count: 65_536)
            let count = Glibc.read(descriptor, &space, space.count)
            return Data(space.prefix(max(0, count)))
        }
    }
}
