import MCP
import TestSupport
import Testing

@Suite("traceparent")
struct MetaTraceTests {
    private static func trace(_ text: String) -> MetaTrace? { MetaTrace(Array(text.utf8).span) }

    @Test("the parts of a traceparent are taken over")
    func parts() throws {
        let trace = try #require(Self.trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        #expect(trace.high == 0x4bf9_2f35_77b3_4da6 && trace.low == 0xa3ce_929d_0e0e_4736)
        #expect(trace.span == 0x00f0_67aa_0ba9_02b7 && trace.flags == 1)
    }

    @Test(
        "what the standard allows",
        arguments: [
            ("00-00000000000000000000000000000001-0000000000000001-00", 0),
            ("00-f0000000000000000000000000000000-f000000000000000-ff", 255),
            ("01-00000000000000000000000000000001-0000000000000001-03", 1),
            ("fe-00000000000000000000000000000001-0000000000000001-02-what-comes", 0),
            ("cc-00000000000000000000000000000001-0000000000000001-01-", 1),
        ] as [(String, UInt8)])
    func valid(_ text: String, _ flags: UInt8) {
        #expect(Self.trace(text)?.flags == flags)
    }

    @Test(
        "what it does not",
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-1",
        ])
    func invalid(_ text: String) {
        #expect(Self.trace(text) == nil)
    }

    @Test("random text never traps, and one changed character is seen or is another trace")
    func random() {
        var generator = SeededGenerator(seed: 1)
        let text = Array("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".utf8)
        let trace = MetaTrace(text.span)
        for _ in 0..<4_000 {
            var other = text
            other[Int.random(in: 0..<text.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            if other != text { #expect(MetaTrace(other.span) != trace || other[0...1] != text[0...1]) }
            _ = MetaTrace(generator.bytes(Int.random(in: 0...80, using: &generator)).span)
        }
    }
}
