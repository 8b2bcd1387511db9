import Testing

@testable import Telemetry

@Suite("The wire format of Protocol Buffers")
struct ProtobufWriterTests {
    private func bytes(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        body(&writer)
        return writer.bytes
    }

    @Test("the examples of its documentation")
    func documented() {
        #expect(bytes { $0.varint(1, 150) } == [0x08, 0x96, 0x01])
        #expect(bytes { $0.text(2, "testing") } == [0x12, 0x07] + Array("testing".utf8))
        #expect(bytes { $0.message(3) { $0.varint(1, 150) } } == [0x1a, 0x03, 0x08, 0x96, 0x01])
    }

    @Test("numbers of fixed size are little-endian, ids are not")
    func fixed() {
        #expect(bytes { $0.fixed64(7, 0x0102_0304_0506_0708) } == [0x39, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(bytes { $0.fixed32(16, 0x301) } == [0x85, 0x01, 1, 3, 0, 0])
        #expect(bytes { $0.identifier(2, 0x0102_0304_0506_0708) } == [0x12, 8, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(bytes { $0.identifier(1, 1, 2) } == [0x0a, 16] + [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    }

    @Test("what proto3 leaves out is left out, a member of a oneof is not")
    func empty() {
        #expect(bytes { $0.varint(1, 0) } == [])
        #expect(bytes { $0.text(1, "") } == [])
        #expect(bytes { $0.fixed32(1, 0) } == [])
        #expect(bytes { $0.integer(3, 0) } == [0x18, 0])
        #expect(bytes { $0.message(1) { _ in } } == [0x0a, 0])
    }

    @Test(
        "a length of any size stands before its message", arguments: [0, 1, 125, 126, 127, 128, 16_380, 16_385, 70_000])
    func lengths(_ count: Int) throws {
        let text = String(repeating: "x", count: count)
        let written = bytes { outer in
            outer.message(1) { inner in
                inner.message(2) { $0.text(3, text) }
                inner.varint(4, 5)
            }
            outer.varint(9, .max)
        }

        let read = try #require(ProtobufReader(written))
        let inner = try #require(read.messages(1).first)
        #expect(try #require(inner.messages(2).first).text(3) ?? "" == text)
        #expect(inner.number(4) == 5)
        #expect(read.number(9) == .max)
    }
}
