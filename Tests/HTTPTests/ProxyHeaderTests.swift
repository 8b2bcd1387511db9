import HTTP
import Testing

@Suite("PROXY protocol")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]

    private static func read(_ bytes: [UInt8]) -> ProxyHeader { ProxyHeader(bytes.span) }

    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let count = length ?? rest.count
        return signature + [command, family, UInt8(count >> 8), UInt8(count & 255)] + rest
    }

    private static let four: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0x12, 0x34, 0x01, 0xbb]
    private static let source = ProxyHeader.Source(high: 0, low: 0xffff_c000_0201, port: 0x1234, isIPv4: true)

    @Test(
        "lines of version 1 are parsed",
        arguments: [
            ("TCP4 192.0.2.1 198.51.100.2 4660 443", 0, 0xffff_c000_0201, 4660, true),
            ("TCP4 0.0.0.0 255.255.255.255 0 65535", 0, 0xffff_0000_0000, 0, true),
            ("TCP6 2001:db8::1 ::1 4660 443", 0x2001_0db8_0000_0000, 1, 4660, false),
            ("TCP6 :: ::1 1 2", 0, 0, 1, false),
            ("TCP6 1:2:3:4:5:6:7:8 ::1 1 2", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008, 1, false),
            ("TCP6 1::8 ::1 1 2", 0x0001_0000_0000_0000, 8, 1, false),
            ("TCP6 1:2:3:4:5:6:7:: ::1 1 2", 0x0001_0002_0003_0004, 0x0005_0006_0007_0000, 1, false),
            ("TCP6 ::2:3:4:5:6:7:8 ::1 1 2", 0x0000_0002_0003_0004, 0x0005_0006_0007_0008, 1, false),
            ("TCP6 FE80::aBcD ::1 1 2", 0xfe80_0000_0000_0000, 0xabcd, 1, false),
            ("TCP6 ::ffff:192.0.2.1 ::1 1 2", 0, 0xffff_c000_0201, 1, true),
            ("TCP6 64:ff9b::192.0.2.1 ::1 1 2", 0x0064_ff9b_0000_0000, 0xc000_0201, 1, false),
        ] as [(String, UInt64, UInt64, UInt16, Bool)])
    func lines(_ line: String, _ high: UInt64, _ low: UInt64, _ port: UInt16, _ isIPv4: Bool) {
        let bytes = Array("PROXY \(line)\r\n".utf8)
        let source = ProxyHeader.Source(high: high, low: low, port: port, isIPv4: isIPv4)
        #expect(Self.read(bytes + [22, 3, 1]) == .complete(length: bytes.count, source: source))
        for count in 0..<bytes.count { #expect(Self.read(Array(bytes.prefix(count))) == .incomplete) }
    }

    @Test("UNKNOWN has no source, whatever follows it", arguments: ["UNKNOWN", "UNKNOWN ffff::1 whatever 1 2"])
    func unknown(_ line: String) {
        let bytes = Array("PROXY \(line)\r\n".utf8)
        #expect(Self.read(bytes) == .complete(length: bytes.count, source: nil))
    }

    @Test(
        "malformed lines are invalid",
        arguments: [
            "GET / HTTP/1.1\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY TCP4\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", "PROXY TCP4 1..3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3. 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 x 1 2\r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 100000\r\n",
            "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP6 1:2 ::1 1 2\r\n", "PROXY TCP6 ::1:: ::1 1 2\r\n",
            "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
            "PROXY TCP6 1:2:3:4::5:6:7:8 ::1 1 2\r\n", "PROXY TCP6 :1::2 ::1 1 2\r\n", "PROXY TCP6 1: ::1 1 2\r\n",
            "PROXY TCP6 12345:: ::1 1 2\r\n", "PROXY TCP6 g:: ::1 1 2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
            "PROXY TCP6 ::: ::1 1 2\r\n", "PROXY TCP6 1.2.3.4:: ::1 1 2\r\n", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY unknown\r\n", "PROXY UNKNOWN \u{1}\r\n", "PROXY UNKNOWNX\r\n",
        ])
    func badLines(_ line: String) {
        #expect(Self.read(Array(line.utf8)) == .invalid)
    }

    @Test("a line has at most 107 bytes")
    func longLines() {
        let longest = "PROXY UNKNOWN " + String(repeating: "x", count: 107 - 14 - 2)
        #expect(Self.read(Array("\(longest)\r\n".utf8)) == .complete(length: 107, source: nil))
        #expect(Self.read(Array("\(longest)x\r\n".utf8)) == .invalid)
        #expect(Self.read(Array("\(longest)x".utf8)) == .invalid)
    }

    @Test("headers of version 2 are parsed, with and without extensions")
    func version2() {
        for extra in [0, 1, 100, 2_036] {
            let bytes = Self.binary(0x21, 0x11, Self.four + [UInt8](repeating: 4, count: extra))
            #expect(Self.read(bytes + [1, 2, 3]) == .complete(length: bytes.count, source: Self.source))
            for count in 0..<min(bytes.count, 60) { #expect(Self.read(Array(bytes.prefix(count))) == .incomplete) }
        }
        let six = [UInt8](0..<32) + [0x12, 0x34, 0, 80]
        #expect(
            Self.read(Self.binary(0x21, 0x21, six))
                == .complete(
                    length: 52,
                    source: ProxyHeader.Source(
                        high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f, port: 0x1234, isIPv4: false)))
        #expect(Self.read(Self.binary(0x20, 0x00, [])) == .complete(length: 16, source: nil))
        #expect(Self.read(Self.binary(0x20, 0x11, Self.four)) == .complete(length: 28, source: nil))
        #expect(Self.read(Self.binary(0x21, 0x00, [])) == .complete(length: 16, source: nil))
        #expect(
            Self.read(Self.binary(0x21, 0x31, [UInt8](repeating: 0, count: 216))) == .complete(length: 232, source: nil)
        )
    }

    @Test("malformed headers of version 2 are invalid")
    func badVersion2() {
        #expect(Self.read(Self.binary(0x11, 0x11, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x22, 0x11, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x31, 0x11, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x21, 0x13, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x21, 0x41, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x21, 0x11, Array(Self.four.dropLast()))) == .invalid)
        #expect(Self.read(Self.binary(0x21, 0x21, Self.four)) == .invalid)
        #expect(Self.read(Self.binary(0x21, 0x11, Self.four, length: 2_049)) == .invalid)
        #expect(Self.read([13, 10, 13, 11]) == .invalid)
    }

    @Test("mutated headers never trap, and an invalid header stays invalid with more bytes", arguments: 0..<8)
    func mutation(_ seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func next() -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 33)
        }
        let texts = ["PROXY TCP4 192.0.2.1 198.51.100.2 4660 443\r\n", "PROXY TCP6 2001:db8::1 ::1 4660 443\r\n"]
        let starts = texts.map { Array($0.utf8) } + [Self.binary(0x21, 0x11, Self.four)]
        for _ in 0..<5_000 {
            var bytes = starts[next() % starts.count]
            for _ in 0..<(1 + next() % 3) { bytes[next() % bytes.count] = UInt8(next() & 255) }
            let whole = Self.read(bytes)
            let half = Self.read(Array(bytes.prefix(next() % (bytes.count + 1))))
            if half == .invalid { #expect(whole == .invalid) }
        }
    }
}
