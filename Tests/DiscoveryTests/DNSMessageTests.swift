import Kernel
import TestSupport
import Testing

/// What name servers answer, whatever their bytes are.
@Suite("DNS messages")
struct DNSMessageTests {
    private static let addresses = (1...5).map { SocketAddress.ipv4(0x0a00_0000 + $0, port: 0) }

    private func read(_ bytes: [UInt8]) -> DNSMessage? { DNSMessage(bytes.span) }

    private func answer() -> DNSEncoder {
        var encoder = DNSEncoder(name: "mcp.test", type: 1)
        encoder.append(type: 5, ttl: 300, DNSEncoder.name("other.test"))
        for (index, address) in Self.addresses.enumerated() {
            encoder.append(address, owner: "other.test", ttl: UInt32(30 + index))
        }
        return encoder
    }

    private func services() -> DNSEncoder {
        var encoder = DNSEncoder(name: "_mcp._tcp.mcp.test", type: 33)
        for number in 1...3 {
            encoder.append(service: DNSService(priority: 1, weight: 5, port: 3_001, target: "H\(number).test"), ttl: 9)
        }
        encoder.append(.ipv4(0x0a00_0001, port: 0), owner: "h1.test", ttl: 4, isAdditional: true)
        encoder.append(
            SocketAddress(literal: "fd00::1", port: 0) ?? .loopback(port: 0), owner: "h1.test", ttl: 5,
            isAdditional: true)
        return encoder
    }

    @Test("addresses, services and what stands beside them are read")
    func contents() throws {
        let message = try #require(read(answer().bytes))
        #expect(message.records.count == 6 && message.code == 0 && !message.isTruncated)
        #expect(message.records[0].name == "mcp.test" && message.records[0].content == .other)
        #expect(message.records[1].name == "other.test" && message.records[1].ttl == 30)
        #expect(message.records.dropFirst().map(\.content) == Self.addresses.map { .address($0) })

        let found = try #require(read(services().bytes))
        #expect(found.records.count == 5)
        #expect(found.records[2].content == .service(priority: 1, weight: 5, port: 3_001, target: "h3.test"))
        #expect(found.records[3].isAdditional && found.records[3].name == "h1.test")
        #expect(found.records[4].content == .address(try #require(SocketAddress(literal: "fd00::1", port: 0))))
    }

    @Test("an answer that is cut off anywhere is no message")
    func cut() {
        for bytes in [answer().bytes, services().bytes] {
            for count in 0..<bytes.count { #expect(read(Array(bytes.prefix(count))) == nil, "\(count)") }
            #expect(read(bytes + [0]) == nil, "what stands behind the last record belongs to none")
        }
    }

    @Test("any byte may be any other one: what is read is bounded, and reading ends")
    func changed() {
        for bytes in [answer().bytes, services().bytes] {
            for index in bytes.indices {
                for value in [0, 1, 0x3f, 0x40, 0xc0, 0xff] as [UInt8] {
                    var broken = bytes
                    broken[index] = value
                    expectBounded(broken)
                }
            }
        }
    }

    @Test("random bytes, and messages with random bytes in them", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var bytes = random.oneIn(2) ? answer().bytes : services().bytes
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if random.oneIn(4) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            expectBounded(bytes)
            expectBounded(random.bytes(Int.random(in: 0...600, using: &random)))
        }
    }

    private func expectBounded(_ bytes: [UInt8]) {
        guard let message = read(bytes) else { return }
        #expect(message.records.count <= DNSMessage.maximumRecords && message.records.count <= bytes.count / 11)
        for record in message.records { #expect(record.ttl <= Int32.max && record.name.utf8.count < 256) }
    }

    @Test("names that lead to themselves, and labels that lead nowhere")
    func names() {
        var loop = DNSEncoder(name: "mcp.test", type: 33)
        // A target at offset 0xc0xx that points to itself: the pointer is the last thing of the message.
        let place = loop.bytes.count + 12 + 6
        loop.append(type: 33, ttl: 1, [0, 1, 0, 1, 0, 80, 0xc0 | UInt8(place >> 8), UInt8(place & 255)])
        #expect(read(loop.bytes) == nil)
        var outside = DNSEncoder(name: "mcp.test", type: 33)
        outside.append(type: 33, ttl: 1, [0, 1, 0, 1, 0, 80, 0xff, 0xff])
        #expect(read(outside.bytes) == nil)
        var short = DNSEncoder(name: "mcp.test", type: 33)
        short.append(type: 33, ttl: 1, [0, 1, 0, 1])
        #expect(read(short.bytes) == nil)
    }

    @Test(
        "records whose data have another length than their type's are malformed", arguments: [0, 1, 3, 5, 15, 17, 200])
    func lengths(count: Int) {
        for type in [1, 28] as [UInt16] {
            var encoder = DNSEncoder(name: "mcp.test", type: type)
            encoder.append(type: type, ttl: 1, [UInt8](repeating: 1, count: count))
            #expect(read(encoder.bytes) == nil)
        }
    }

    @Test("a count of 65,535 records with none behind it is malformed, and 5,000 records are read in part")
    func counts() throws {
        var lying = DNSEncoder(name: "mcp.test", type: 1).bytes
        lying[6] = 0xff
        lying[7] = 0xff
        #expect(read(lying) == nil)
        var many = DNSEncoder(name: "a", type: 1)
        for number in 0..<4_000 as Range<UInt32> { many.append(.ipv4(0x0a00_0000 + number, port: 0), ttl: 1) }
        #expect(many.bytes.count < 65_536)
        #expect(try #require(read(many.bytes)).records.count == 4_000)
    }

    @Test("a TTL of more than 31 bits is zero (RFC 2181 section 8)")
    func longTTL() throws {
        var encoder = DNSEncoder(name: "mcp.test", type: 1)
        encoder.append(Self.addresses[0], ttl: 0x8000_0000)
        #expect(try #require(read(encoder.bytes)).records[0].ttl == 0)
    }

    @Test("records of another class, and what EDNS adds, are not looked at")
    func classes() throws {
        var encoder = answer()
        encoder.append(owner: ".", type: 41, ttl: 0, isAdditional: true, [])
        #expect(try #require(read(encoder.bytes)).records.count == 6)
    }
}
