import HTTP
import Reactor
import TestSupport
import Testing

/// The result of decoding a chunked body.
struct ChunkReading: Equatable {
    enum End: Equatable {
        case complete(Int)
        case incomplete
        case invalid
    }

    var data: [UInt8] = []
    var trailers: [String] = []
    var end = End.incomplete
}

/// Passes the decoder `bytes` in pieces that end at `cuts`, as a connection does: unconsumed bytes again with the next.
func decode(_ bytes: [UInt8], cuts: [Int]) -> ChunkReading {
    var decoder = ChunkDecoder()
    var reading = ChunkReading()
    var start = 0
    for cut in cuts + [bytes.count] {
        let input = Array(bytes[start..<cut])
        var offset = 0
        feeding: while true {
            switch decoder.next(input.span, from: offset) {
            case .data(let range):
                #expect(range.lowerBound >= offset && range.upperBound <= input.count && !range.isEmpty)
                reading.data += input[range.range]
                offset = range.upperBound
            case .trailer(let range):
                reading.trailers.append(text(range, of: input))
                offset = range.upperBound
            case .needsMore(let consumed):
                #expect(consumed >= offset && input.count - consumed <= ChunkDecoder.trailerBytesLimit)
                start += consumed
                break feeding
            case .end(let end):
                reading.end = .complete(start + end)
                #expect(decoder.isComplete)
                let again = decoder.next(input.span, from: end)
                #expect(again == .end(end))
                return reading
            case .invalid:
                reading.end = .invalid
                let again = decoder.next(input.span, from: offset)
                #expect(again == .invalid)
                return reading
            }
        }
    }
    return reading
}

/// Expects the same result whole, byte by byte and split at every offset.
private func expectSameInPieces(_ bytes: [UInt8]) {
    let whole = decode(bytes, cuts: [])
    let drip = decode(bytes, cuts: Array(0...bytes.count))
    #expect(drip == whole)
    for cut in 0...bytes.count { #expect(decode(bytes, cuts: [cut]) == whole, "cut at \(cut)") }
}

@Suite("Chunked bodies")
struct ChunkDecoderTests {
    @Test(
        "well-formed bodies are decoded, whole and in pieces",
        arguments: [
            ("0\r\n\r\n", "", []),
            ("5\r\nhello\r\n0\r\n\r\n", "hello", []),
            ("000000000000005\r\nhello\r\n000\r\n\r\n", "hello", []),
            ("1;a\r\nh\r\n4;b=\"c d\"\t;e\r\nello\r\n0;x\r\n\r\n", "hello", []),
            ("5 ;a\r\nhello\r\n0\t;b = c ; d\r\n\r\n", "hello", []),
            ("5;a=\"b;\\\"c\";d\r\nhello\r\n0\r\n\r\n", "hello", []),
            ("a\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n0\r\n\r\n", []),
            (
                "A\r\n0123456789\r\n0\r\nX-One: 1\r\nDigest: a=b \r\n\r\n", "0123456789",
                ["X-One: 1\r\n", "Digest: a=b \r\n"]
            ),
            ("1;\(String(repeating: "x", count: 252))\r\nh\r\n0\r\n\r\n", "h", []),
        ] as [(String, String, [String])])
    func valid(body: String, data: String, trailers: [String]) {
        let bytes = latin1(body)

        let reading = decode(bytes, cuts: [])

        #expect(reading == ChunkReading(data: latin1(data), trailers: trailers, end: .complete(bytes.count)))
        expectSameInPieces(bytes)
        #expect(decode(bytes + latin1("GET / HTTP/1.1\r\n"), cuts: []) == reading)
    }

    @Test(
        "malformed bodies are refused, whole and in pieces",
        arguments: [
            "\r\n", "\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "5\nhello\r\n", "5\rhello\r\n", "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhellox\r\n", "4\r\nhello\r\n", "-5\r\nhello\r\n",
            "+5\r\n", "0x5\r\nhello\r\n",
            "g\r\n", "5g\r\n", ";a\r\n", " ;a\r\n", "5;\r\nhello\r\n", "5; \r\nhello\r\n", "5;;a\r\nhello\r\n",
            "5;a;\r\n",
            "5;a=\"b\r\nhello\r\n", "5;a=\"b\\\"\r\nhello\r\n", "5 a\r\nhello\r\n", "5,5\r\n", "5.\r\n",
            "1000000000000000\r\n",
            "0000000000000000\r\n",
            "ffffffffffffffff\r\n", "fffffffffffffffff\r\n", "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n",
            "5;a\u{0}\r\nhello\r\n",
            "5;a\u{7F}\r\n", "0\n\r\n", "0\r\n\n", "0\r\nX\r\n\r\n", "0\r\nX : a\r\n\r\n", "0\r\n X: a\r\n\r\n",
            "0\r\nX: a\n\r\n",
            "0\r\nX: a\r\n b\r\n\r\n", "0\r\n: a\r\n\r\n", "0\r\n\rx", "0\r\nX: \u{1}\r\n\r\n", "\u{0}", "\u{80}",
            "1;\(String(repeating: "x", count: 253))\r\nh\r\n0\r\n\r\n", "5\r\nhello\r\n\r\n",
        ])
    func faulty(body: String) {
        #expect(decode(latin1(body), cuts: []).end == .invalid)
        expectSameInPieces(latin1(body))
    }

    @Test("the largest size does not overflow")
    func largest() {
        let reading = decode(latin1("fffffffffffffff\r\nabc"), cuts: [])

        #expect(reading == ChunkReading(data: latin1("abc"), end: .incomplete))
    }

    @Test("trailers are limited in number and in bytes, complete or not")
    func trailerBounds() {
        let line = "X: y\r\n"
        let many = latin1("0\r\n" + String(repeating: line, count: ChunkDecoder.trailerLimit) + "\r\n")
        #expect(decode(many, cuts: []).end == .complete(many.count))
        #expect(
            decode(latin1("0\r\n" + String(repeating: line, count: ChunkDecoder.trailerLimit + 1)), cuts: []).end
                == .invalid)

        let filling = "X:" + String(repeating: "a", count: ChunkDecoder.trailerBytesLimit - 10) + "\r\n"
        let full = latin1("0\r\n" + filling + line + "\r\n")
        let over = latin1("0\r\n" + filling + "X: yz\r\n\r\n")
        let endless = latin1("0\r\n" + String(repeating: "X", count: ChunkDecoder.trailerBytesLimit))
        for cuts in [[], Array(full.count - 12...full.count)] {
            #expect(decode(full, cuts: cuts).end == .complete(full.count))
        }
        for cuts in [[], Array(over.count - 13...over.count)] { #expect(decode(over, cuts: cuts).end == .invalid) }
        #expect(decode(endless, cuts: []).end == .invalid)
        #expect(decode(Array(endless.dropLast()), cuts: []).end == .incomplete)
    }

    @Test("an encoded body is decoded to the same bytes, in any pieces", arguments: [UInt64](1...20))
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            var body: [UInt8] = []
            var encoded: [UInt8] = []
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let size = Int.random(in: 1...Int.random(in: 1...600, using: &random), using: &random)
                let data = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
                let digits = String(size, radix: 16, uppercase: Bool.random(using: &random))
                let zeros = String(repeating: "0", count: Int.random(in: 0...4, using: &random))
                let note = Bool.random(using: &random) ? ";a=\"b\"" : ""
                encoded += latin1("\(zeros)\(digits)\(note)\r\n") + data + latin1("\r\n")
                body += data
            }
            encoded += latin1("0\r\nX-Sum: 1\r\n\r\n")
            let expected = ChunkReading(data: body, trailers: ["X-Sum: 1\r\n"], end: .complete(encoded.count))

            let cuts = (0..<Int.random(in: 0...30, using: &random))
                .map { _ in Int.random(in: 0...encoded.count, using: &random) }.sorted()

            #expect(decode(encoded, cuts: cuts) == expected, "seed \(seed)")
            #expect(decode(encoded + body, cuts: cuts) == expected, "seed \(seed)")
        }
    }

    @Test("no mutation traps, and pieces have the same result as the whole", arguments: [UInt64](1...8))
    func mutations(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let body = latin1("5;x=y\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nX-Sum: 1\r\n\r\n")
        for _ in 0..<150 {
            var bytes = body
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(UInt8.random(in: 0...127, using: &random), at: place)
                default: bytes.remove(at: place)
                }
            }
            expectSameInPieces(bytes)
        }
    }
}
