import Kernel
import MCP
import TestSupport
import Testing

@testable import Proxy

@Suite("What is said at an upgrade")
struct HandoverTextTests {
    private static let any = SocketAddress(literal: "::", port: 443) ?? .loopback(port: 0)
    private static let chosen = SocketAddress.loopback(port: 40_211)

    @Test("the environment's variable is read as it was written")
    func variable() {
        let variable = HandoverVariable(
            channel: Descriptor(7),
            addresses: [
                .init(
                    configured: Self.any, actual: Self.any, descriptors: [Descriptor(8), Descriptor(9)],
                    borrowed: [Descriptor(8)]),
                .init(configured: .loopback(port: 0), actual: Self.chosen, descriptors: [Descriptor(10)]),
            ])

        #expect(variable.value == "1;channel=7;[::]:443=8*,9;127.0.0.1:0>127.0.0.1:40211=10")
        #expect(HandoverVariable(variable.value) == variable)
    }

    @Test(
        "a variable that is malformed, of another version or names a descriptor twice is none",
        arguments: [
            "", "1", "2;channel=7", "1;channel=", "1;channel=x", "1;channel=7,8", "1;channel=2", "1;channel=-1",
            "1;channel=7;", "1;channel=7;[::]:443", "1;channel=7;[::]:443=", "1;channel=7;[::]:443=8,8",
            "1;channel=7;[::]:443=8*,8", "1;channel=7;[::]:443=8**", "1;channel=7;[::]:443=*",
            "1;channel=7;[::]:443=7", "1;channel=7;name:443=8", "1;channel=7;[::]=8", "1;channel=7;1.2.3.4:70000=8",
            "1;channel=7;1.2.3.4:1>1.2.3.4:2>1.2.3.4:3=8", "1;channel=7;1.2.3.4:1=8=9", "1;channel=99999999999",
        ])
    func malformed(_ text: String) { #expect(HandoverVariable(text) == nil) }

    @Test("mutations of a variable never trap")
    func mutations() {
        var generator = SeededGenerator(seed: 1)
        let text = Array("1;channel=7;[::]:443=8*,9;127.0.0.1:0>127.0.0.1:40211=10".utf8)
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[position] = UInt8.random(in: 32..<127, using: &generator)
            }
            let read = HandoverVariable(String(decoding: bytes, as: UTF8.self))
            if let read { #expect(HandoverVariable(read.value) == read) }
        }
    }

    @Test(
        "systemd's variables name descriptors from 3 on, for the process they are meant for",
        arguments: [
            ("12", "2", "web:admin", ["web 3", "admin 4"]), ("12", "2", nil, [" 3", " 4"]),
            ("12", "2", "one", [" 3", " 4"]), ("12", "1", "", [" 3"]), ("13", "2", nil, nil), (nil, "2", nil, nil),
            ("12", nil, nil, nil), ("12", "0", nil, nil), ("12", "-1", nil, nil), ("12", "5000", nil, nil),
            ("12", "x", nil, nil),
        ] as [(String?, String?, String?, [String]?)])
    func activation(_ pid: String?, _ count: String?, _ names: String?, _ expected: [String]?) {
        let found = ActivationVariables(pid: pid, count: count, names: names, process: 12)

        #expect(found?.sockets.map { "\($0.name) \($0.descriptor.raw)" } == expected)
    }

    private static let messages: [HandoverMessage] = [
        .server(ServerID(slot: 3, generation: 1), .up, key: "mcp/10.0.0.1:3001"),
        .server(ServerID(slot: 4, generation: 9), .down, key: "an upstream/10.0.0.1:3001"),
        .server(ServerID(slot: 5, generation: 9), .unchecked, key: "mcp/mcp-1:3001"),
        .drained(key: "mcp/10.0.0.1:3001"), .upstream(ServerID(slot: 0, generation: 1), key: "a b  c"),
        .serverCounter(slot: 3, name: "requests", value: 12),
        .counter(group: "exchange", name: "began", value: .max), .sessionKey([0, 1, 0x7f, 0xff]),
        .session(
            SessionKey(high: 1, low: .max),
            .init(server: ServerID(slot: 3, generation: 1), usedAt: Instant(nanoseconds: 77))),
        .session(
            SessionKey(high: 0, low: 9),
            .init(server: ServerID(slot: 3, generation: 1), usedAt: Instant(nanoseconds: 77), isCounted: false)),
        .sessionEnded(SessionKey(high: .max, low: 0)), .complete, .ready(unused: []),
        .ready(unused: [Descriptor(8), Descriptor(9)]),
        .failed("cannot listen on [::]:443: bind: Address already in use"),
    ]

    @Test("a line is read as it was written", arguments: messages.indices)
    func message(_ index: Int) {
        let message = Self.messages[index]
        #expect(HandoverMessage(message.line) == message)
    }

    @Test(
        "a line of another version is skipped",
        arguments: [
            "", "server", "server 1 2 up", "server x 2 up key", "server 1 2 sideways key", "count 1 requests",
            "count 1 requests x", "count 99999 requests 1", "total exchange began", "session 1 2 3 4",
            "session x 2 3 4 5", "session 1 2 3 4 5 6", "session-key 0", "session-key 0g", "session-ended 1",
            "complete now", "ready x",
            "weather fine",
        ])
    func unknown(_ line: String) { #expect(HandoverMessage(line) == nil) }

    @Test("what is known of a session is read as it was written, and mutations of its line never trap")
    func records() {
        var generator = SeededGenerator(seed: 3)
        func bytes() -> [UInt8] {
            (0..<Int.random(in: 0..<9, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        func maybe() -> [UInt8]? { generator.oneIn(3) ? nil : bytes() }
        for _ in 0..<500 {
            let server = ServerID(slot: UInt16.random(in: 0..<99, using: &generator), generation: 2)
            var record = SessionRecord(
                server: server, usedAt: Instant(nanoseconds: UInt64.random(in: 0...(.max), using: &generator)),
                handshake: maybe().map { Handshake(params: $0) })
            record.isDirty = generator.oneIn(2)
            record.isLearned = generator.oneIn(2)
            record.isCounted = generator.oneIn(2)
            record.hasForeignEvents = generator.oneIn(2)
            record.recovery.generation = UInt32.random(in: 0...(.max), using: &generator)
            if generator.oneIn(2) { record.result = .init(protocolVersion: bytes(), capabilities: bytes()) }
            record.recoveredID = maybe()
            record.logLevel = bytes()
            record.subscriptions = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in bytes() }
            record.serverRequests = (0..<Int.random(in: 0..<4, using: &generator)).map { _ in bytes() }
            let key = SessionKey(high: .random(in: 0...(.max), using: &generator), low: 7)
            let message = HandoverMessage.record(HandoverRecord(key, record))
            #expect(HandoverMessage(message.line) == message, "\(message.line)")
            #expect(HandoverRecord(key, HandoverRecord(key, record).record) == HandoverRecord(key, record))

            var line = Array(message.line.utf8)
            line[Int.random(in: 7..<line.count, using: &generator)] = UInt8.random(in: 32..<127, using: &generator)
            let changed = String(decoding: line, as: UTF8.self)
            if let read = HandoverMessage(changed) { #expect(HandoverMessage(read.line) == read, "\(changed)") }
        }
    }

    @Test(
        "of two processes' records the one with the later recovery counts, and a session that holds state in one holds it"
    )
    func merging() {
        let table = SessionTable(limit: 1_000)
        let (key, one, two) = (
            SessionKey(high: 1, low: 2), ServerID(slot: 1, generation: 1), ServerID(slot: 2, generation: 1)
        )
        var counts: [ServerID: Int64] = [:]
        let now = Instant(nanoseconds: 5)
        var record = SessionRecord(server: one, usedAt: now, handshake: Handshake(params: [1]))
        table.restore(key, record) { counts[$0, default: 0] += $1 }
        table.trackChanges(true)
        record.server = two
        record.recoveredID = [9]
        record.recovery.generation = 1
        table.restore(key, record) { counts[$0, default: 0] += $1 }
        #expect(table.location(of: key)?.server == two && counts == [one: 0, two: 1])
        #expect(table.takeChanges().map(\.0) == [key])
        record.server = one
        record.recovery.generation = 0
        record.isDirty = true
        table.restore(key, record) { counts[$0, default: 0] += $1 }
        #expect(table.location(of: key)?.server == two && table.record(of: key)?.isDirty == true)
        #expect(counts == [one: 0, two: 1])
        table.trackChanges(false)
        #expect(table.takeChanges().isEmpty)
    }
}
