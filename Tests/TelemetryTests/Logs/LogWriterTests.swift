import Foundation
import Kernel
import TestSupport
import Testing

@testable import Telemetry

@Suite("Log writer")
struct LogWriterTests {
    private let counts = LogCounts("access")
    private let reports = Reports()
    private let noSpace: CInt = 28
    private let brokenPipe = ErrorNumber.brokenPipe

    private func writer(limit: Int = 1 << 20, _ open: @escaping () throws(SystemError) -> any LogDevice) -> LogWriter {
        let reports = reports
        return LogWriter(.file("/log"), limit: limit, report: { reports.add($0) }) { _ throws(SystemError) in try open()
        }
    }

    private func append(_ lines: Range<Int>, to writer: LogWriter) {
        for number in lines { writer.append(counts) { $0.append(escaping: "line \(number)") } }
    }

    private func texts(_ lines: Range<Int>) -> [String] { lines.map { "line \($0)" } + [""] }

    @Test("Lines are written in one batch")
    func batch() {
        let device = ScriptedDevice()
        let writer = writer { device }
        append(0..<100, to: writer)
        #expect(device.writes == 0)

        writer.flush(at: .now())

        #expect(device.lines == texts(0..<100))
        #expect(device.writes == 1)
        #expect((counts.written, counts.dropped) == (100, 0))
        #expect(reports.texts == [])
    }

    @Test("A batch that is large enough is not kept for the next look")
    func largeBatch() {
        let device = ScriptedDevice()
        append(0..<10_000, to: writer { device })
        #expect(device.writes >= 1)
    }

    @Test("What has a reader gets whole lines, as many as it takes at once")
    func wholeLines() {
        let device = ScriptedDevice(batch: 20)
        let writer = writer { device }
        append(0..<5, to: writer)
        writer.flush(at: .now())
        #expect(device.lines == texts(0..<5))
        #expect(device.writes == 3)
    }

    @Test("Wherever a write breaks off, the line is finished first", arguments: 1...40)
    func partial(_ taken: Int) {
        let device = ScriptedDevice([.take(taken), .fail(28), .take(1), .fail(28)])
        let writer = writer { device }
        var now = Instant.now()
        append(0..<5, to: writer)
        writer.flush(at: now)
        #expect(device.written.count == min(taken, 35), "five lines of seven bytes")
        append(5..<7, to: writer)
        for _ in 0..<3 {
            now = now + .seconds(1)
            writer.flush(at: now)
        }
        #expect(device.lines == texts(0..<7))
        #expect((counts.written, counts.dropped) == (7, 0))
    }

    @Test("A full disk costs lines, which are counted and reported, and the file works again afterwards")
    func fullDisk() {
        let device = ScriptedDevice([.take(3), .fail(28), .fail(28), .fail(28)])
        let writer = writer(limit: 70) { device }
        var now = Instant.now()
        append(0..<3, to: writer)
        writer.flush(at: now)
        append(3..<20, to: writer)
        writer.flush(at: now)
        #expect(device.writes == 2, "the disk is tried once a second")
        for _ in 0..<3 {
            now = now + .seconds(1)
            writer.flush(at: now)
        }
        let kept = counts.written
        #expect(kept > 3 && kept < 20)
        #expect(counts.dropped == 20 - kept)
        #expect(device.lines == texts(0..<kept))
        append(100..<102, to: writer)
        writer.flush(at: now)
        #expect(device.lines.suffix(3) == ["line 100", "line 101", ""])
        #expect(reports.texts.first == "the log on /log cannot be written: write: No space left on device")
        #expect(reports.texts.last?.hasPrefix("the log on /log is written again: ") == true)
    }

    @Test("Losses are reported once a minute, with their number")
    func reporting() {
        let writer = writer(limit: 10) { () throws(SystemError) in throw SystemError("open", code: 2) }
        let start = Instant.now()
        for second in 0..<180 as Range<UInt64> {
            append(0..<5, to: writer)
            writer.flush(at: start + .seconds(second))
        }
        #expect(reports.errors == 3)
        #expect(
            reports.texts[1] == "the log on /log cannot be written: open: No such file or directory: 300 lines lost")
        #expect(counts.written + counts.dropped == 900)
    }

    @Test("A reader that is behind costs lines, and none of those that it gets is torn")
    func behind() {
        let device = ScriptedDevice(Array(repeating: .block, count: 50), batch: 4_096)
        let writer = writer(limit: 1_000) { device }
        for round in 0..<60 {
            append(round * 10..<round * 10 + 10, to: writer)
            writer.flush(at: .now())
        }
        #expect(device.lines.dropLast().allSatisfy { $0.hasPrefix("line ") && Int($0.dropFirst(5)) != nil })
        #expect(device.lines.count - 1 == counts.written)
        #expect(counts.written + counts.dropped == 600)
        #expect(counts.dropped > 0)
        #expect(reports.errors == 1)
    }

    @Test("A reader that left is looked for anew; the next one gets no half line")
    func brokenReader() {
        var devices = [ScriptedDevice([.take(10), .fail(brokenPipe)], file: 1), ScriptedDevice(file: 2)]
        let (first, second) = (devices[0], devices[1])
        let writer = writer { devices.removeFirst() }
        let now = Instant.now()
        append(0..<3, to: writer)
        writer.flush(at: now)
        #expect(first.text == "line 0\nlin")
        writer.flush(at: now + .seconds(1))
        #expect(second.lines == ["line 2", ""])
        #expect((counts.written, counts.dropped) == (3, 1))
    }

    @Test("Lines that wait when a file is opened anew go to the new one, a half one is finished in the old one")
    func reopening() {
        var devices = [ScriptedDevice([.take(9), .fail(28)], file: 1), ScriptedDevice(file: 2)]
        let (first, second) = (devices[0], devices[1])
        let writer = writer { devices.removeFirst() }
        let now = Instant.now()
        append(0..<3, to: writer)
        writer.flush(at: now)
        writer.reopen()
        writer.flush(at: now + .seconds(1))
        #expect(first.text + second.text == "line 0\nline 1\nline 2\n")
        #expect(first.text.hasSuffix("\n"))
        append(3..<4, to: writer)
        writer.flush(at: now + .seconds(1))
        #expect(second.text.hasSuffix("line 3\n"))
        #expect(counts.dropped == 0)
    }

    @Test("A file that cannot be opened anew stays the old one")
    func failedReopening() {
        let device = ScriptedDevice()
        var isBroken = false
        let writer = writer { () throws(SystemError) in
            guard !isBroken else { throw SystemError("open", code: 13) }
            return device
        }
        append(0..<1, to: writer)
        writer.flush(at: .now())
        isBroken = true
        writer.reopen()
        append(1..<2, to: writer)
        writer.flush(at: .now())
        #expect(device.lines == texts(0..<2))
        #expect(reports.texts == ["the log on /log cannot be opened anew: open: Permission denied"])
    }

    @Test("Whatever writes do, what is there are whole lines in order, each once", arguments: 0..<200 as Range<UInt64>)
    func storm(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let steps: [ScriptedDevice.Step] = (0..<200).map { _ in
            switch random.next() % 4 {
            case 0: .block
            case 1: .fail(28)
            default: .take(1 + Int(random.next() % 30))
            }
        }
        let device = ScriptedDevice(steps, batch: 1 + Int(random.next() % 64))
        let writer = writer(limit: 200) { device }
        var (now, next) = (Instant.now(), 0)
        for _ in 0..<600 {
            let count = Int(random.next() % 4)
            append(next..<next + count, to: writer)
            next += count
            now = now + .milliseconds(50 + random.next() % 1_000)
            writer.flush(at: now)
        }
        for _ in 0..<1_000 {
            now = now + .seconds(1)
            writer.flush(at: now)
        }
        let numbers = device.lines.dropLast().map { Int($0.dropFirst(5)) }
        #expect(device.lines.dropLast().allSatisfy { $0.hasPrefix("line ") }, "\(seed)")
        #expect(!numbers.contains(nil), "\(seed)")
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 ?? 0 < $1 ?? 0 }, "\(seed)")
        #expect(numbers.count == counts.written, "\(seed)")
        #expect(counts.written + counts.dropped == next, "\(seed)")
    }

    // MARK: - With the system's own

    @Test("A file is made for its owner and group, appended to, and opened anew")
    func file() throws {
        let folder = try TestFolder()
        let path = "\(folder.path)/access.jsonl"
        let reports = reports
        let writer = LogWriter(.file(path)) { reports.add($0) }
        append(0..<2, to: writer)
        writer.flush(at: .now())
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0) & 0o137 == 0)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        append(2..<3, to: writer)
        writer.flush(at: .now())
        writer.reopen()
        append(3..<4, to: writer)
        writer.flush(at: .now())
        #expect(folder.text("access.jsonl.1") == "line 0\nline 1\nline 2\n")
        #expect(folder.text("access.jsonl") == "line 3\n")
        #expect(reports.texts == [])
    }

    @Test("A device that is always full blocks nobody")
    func fullDevice() {
        let reports = reports
        let writer = LogWriter(.file("/dev/full")) { reports.add($0) }
        append(0..<100_000, to: writer)
        writer.flush(at: .now())
        #expect(counts.written + counts.dropped == 100_000)
        #expect(counts.dropped > 0)
        #expect(reports.texts.first?.hasPrefix("the log on /dev/full cannot be written: write: No space left") == true)
    }

    @Test("A FIFO that nobody reads blocks nobody; its reader gets whole lines")
    func fifo() throws {
        _ = try Signals([])
        let folder = try TestFolder()
        let path = "\(folder.path)/pipe"
        #expect(mkfifo(path, 0o600) == 0)
        let reports = reports
        let writer = LogWriter(.file(path)) { reports.add($0) }
        var now = Instant.now()
        append(0..<1, to: writer)
        writer.flush(at: now)
        #expect(reports.errors == 1)

        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        append(1..<200_000, to: writer)
        for _ in 0..<3 {
            now = now + .seconds(1)
            writer.flush(at: now)
        }
        #expect(counts.dropped > 0)
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        for _ in 0..<200 {
            let count = read(reader, &chunk, chunk.count)
            if count > 0 { received += chunk[..<count] }
            now = now + .seconds(1)
            writer.flush(at: now)
        }
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n")
        #expect(received.last == UInt8(ascii: "\n"))
        #expect(lines.map(String.init) == (0..<counts.written).map { "line \($0)" })
    }

    @Test("A log daemon gets a message a line", arguments: [true, false])
    func datagrams(_ isUDP: Bool) throws {
        guard isUDP else { return try syslogText() }
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(socket) }
        let (port, receive) = try #require(Self.listen(on: socket))
        let writer = LogWriter(.udp(.loopback(port: port))) { _ in }
        append(0..<2, to: writer)
        writer.flush(at: .now())
        for number in 0..<2 {
            let message = receive()
            #expect(message.hasPrefix("<134>1 2"))
            #expect(message.hasSuffix(" berth \(ThisProcess.id) - - line \(number)"))
        }
    }

    private func syslogText() throws {
        var framing = SyslogFraming()
        let text = Array("hello".utf8).withUnsafeBytes { line in
            framing.withMessage(of: line, for: .syslog) { String(decoding: $0, as: UTF8.self) }
        }
        #expect(text.hasPrefix("<134>"))
        #expect(text.hasSuffix(" berth[\(ThisProcess.id)]: hello"))
    }

    private static func listen(on socket: Int32) -> (port: UInt16, receive: () -> String)? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { return nil }
        return (
            UInt16(bigEndian: address.sin_port),
            {
                var one = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                guard poll(&one, 1, 10_000) == 1 else { return "" }
                var bytes = [UInt8](repeating: 0, count: 2_048)
                let count = recv(socket, &bytes, bytes.count, 0)
                return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            }
        )
    }
}
