import HTTP
import Reactor
import Simulation
import TestSupport
import Testing

@testable import Proxy

@Suite("Body reader")
struct BodyReaderTests {
    struct Body: CustomTestStringConvertible {
        let framing: BodyFraming
        /// What the connection brings: the body, and what follows it.
        let wire: String
        let body: String
        var trailers: [String] = []
        /// Bytes after the body's end.
        var rest = ""
        var isComplete = true
        var isInvalid = false

        var testDescription: String { "\(framing) of \(wire.debugDescription.prefix(40))" }
    }

    static let bodies = [
        Body(framing: .none, wire: "GET /", body: "", rest: "GET /"),
        Body(framing: .length(0), wire: "GET /", body: "", rest: "GET /"),
        Body(framing: .length(1), wire: "a", body: "a"),
        Body(framing: .length(5), wire: "helloGET", body: "hello", rest: "GET"),
        Body(framing: .length(5), wire: "hell", body: "hell", isComplete: false),
        Body(framing: .length(.max), wire: "hello", body: "hello", isComplete: false),
        Body(framing: .untilClose, wire: "hello\r\n0\r\n\r\n", body: "hello\r\n0\r\n\r\n", isComplete: false),
        Body(framing: .untilClose, wire: "", body: "", isComplete: false),
        Body(framing: .chunked, wire: "0\r\n\r\nGET", body: "", rest: "GET"),
        Body(framing: .chunked, wire: "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", body: "hello!"),
        Body(framing: .chunked, wire: "A\r\n0123456789\r\n0\r\n\r\n5\r\nother", body: "0123456789", rest: "5\r\nother"),
        Body(
            framing: .chunked, wire: "1\r\na\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n", body: "a",
            trailers: ["X-A: 1\r\n", "X-B: 2\r\n"]),
        Body(framing: .chunked, wire: "5\r\nhel", body: "hel", isComplete: false),
        Body(framing: .chunked, wire: "1\r\nab\r\n0\r\n\r\n", body: "a", isComplete: false, isInvalid: true),
        Body(framing: .chunked, wire: "x\r\n", body: "", isComplete: false, isInvalid: true),
    ]

    /// What a reader makes of bytes that come in pieces; what it has not consumed is shown again with the next piece.
    private struct Reading: Equatable {
        var body = ""
        var trailers: [String] = []
        var rest = ""
        var isComplete = false
        var isInvalid = false
    }

    private func read(_ framing: BodyFraming, _ pieces: [[UInt8]]) -> Reading {
        var reader = BodyReader(framing)
        var reading = Reading()
        var input: [UInt8] = []
        var offset = 0
        for piece in pieces where !reading.isInvalid {
            input += piece
            // Each step takes at least a byte, or is the last.
            for _ in 0...input.count {
                switch reader.next(input.span, from: offset) {
                case .data(let range):
                    #expect(range.start == offset || reader.isChunked, "nothing is skipped")
                    reading.body += String(decoding: input[range.range], as: UTF8.self)
                    offset = range.range.upperBound
                    continue
                case .trailer(let range):
                    reading.trailers.append(String(decoding: input[range.range], as: UTF8.self))
                    offset = range.range.upperBound
                    continue
                case .needsMore(let consumed):
                    #expect(consumed >= offset && consumed <= input.count)
                    input.removeFirst(consumed)
                    offset = 0
                case .end(let end):
                    reading.isComplete = true
                    offset = end
                case .invalid:
                    reading.isInvalid = true
                }
                break
            }
        }
        #expect(reader.isComplete == reading.isComplete)
        if reading.isComplete { reading.rest = String(decoding: input[offset...], as: UTF8.self) }
        return reading
    }

    private func expected(_ body: Body) -> Reading {
        Reading(
            body: body.body, trailers: body.trailers, rest: body.rest, isComplete: body.isComplete,
            isInvalid: body.isInvalid)
    }

    @Test("a body is the same whole, byte by byte, and split at every offset", arguments: bodies)
    func split(_ body: Body) {
        let wire = Array(body.wire.utf8)
        #expect(read(body.framing, [wire]) == expected(body), "whole")
        #expect(read(body.framing, [[]] + wire.map { [$0] }) == expected(body), "byte by byte")
        for offset in 0...wire.count {
            let pieces = [Array(wire[..<offset]), Array(wire[offset...])]
            #expect(read(body.framing, pieces) == expected(body), "split at \(offset)")
        }
    }

    @Test("random chunks in random pieces come out as they went in", arguments: 1...20 as ClosedRange<UInt64>)
    func random(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (body, wire): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            let data = (0..<Int.random(in: 1...600, using: &generator)).map { _ in
                UInt8.random(in: 97...122, using: &generator)
            }
            body += data
            wire += Array("\(String(data.count, radix: 16))\r\n".utf8) + data + [13, 10]
        }
        wire += Array("0\r\n\r\nnext".utf8)
        var pieces: [[UInt8]] = []
        var rest = wire[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...200, using: &generator))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        let reading = read(.chunked, pieces)
        #expect(reading.body == String(decoding: body, as: UTF8.self), "seed \(seed)")
        #expect(reading.isComplete)
        #expect(reading.rest == "next", "seed \(seed)")
    }

    @Test(
        "the end of the connection ends a body without framing, and no other",
        arguments: [
            (BodyFraming.none, true), (.length(0), true), (.length(1), false), (.chunked, false), (.untilClose, true),
        ])
    func connectionEnd(_ framing: BodyFraming, _ isEnd: Bool) {
        #expect(BodyReader(framing).endsWithConnection() == isEnd)
    }

    @Test("what ends stays ended, and holds no byte")
    func ended() {
        var reader = BodyReader(.length(2))
        let input = Array("abcd".utf8)
        #expect(reader.next(input.span, from: 0) == .data(ByteRange(start: 0, count: 2)))
        for offset in 2...4 { #expect(reader.next(input.span, from: offset) == .end(offset)) }
        #expect(MemoryLayout<BodyReader>.size <= 16, "every exchange has two")
    }
}
