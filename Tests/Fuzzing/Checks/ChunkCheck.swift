import HTTP
import Reactor

/// Chunked bodies: the same bytes come out however they come in, and they come out again if they are chunked again.
enum ChunkCheck {
    private struct Body: Equatable, CustomStringConvertible {
        var data: [UInt8] = []
        var trailers: [UInt8] = []
        /// How it ended, and where in the input.
        var ending = "unfinished"

        var description: String { "\(ending): \(latin1(data).debugDescription) \(latin1(trailers).debugDescription)" }
    }

    static func decode(_ input: [UInt8]) throws(Finding) {
        let (size, selector, bytes) = Pieces.cut(input)
        let isFromServer = selector & 1 != 0
        let whole = try body(bytes, size: max(1, bytes.count), isFromServer)
        for size in [1, size] {
            try requireEqual(try body(bytes, size: size, isFromServer), whole, "in pieces of \(size)")
        }
        guard whole.ending.hasPrefix("end") else { return }
        var again = Array("\(String(whole.data.count, radix: 16))\r\n".utf8) + whole.data + [13, 10, 48, 13, 10]
        if whole.data.isEmpty { again = [48, 13, 10] }
        again += whole.trailers + [13, 10]
        let other = try body(again, size: 7, isFromServer)
        try requireEqual(other.data, whole.data, "chunked again")
        try requireEqual(other.trailers, whole.trailers, "chunked again")
        try require(other.ending == "end at \(again.count)", "chunked again it ends with \(other.ending)")
        // What a client sends is held to more than what a server sends.
        if !isFromServer {
            try requireEqual(try body(bytes, size: size, true), whole, "a server's body is read otherwise")
        }
    }

    /// Decodes as a worker does, which keeps what was not consumed.
    private static func body(_ bytes: [UInt8], size: Int, _ isFromServer: Bool) throws(Finding) -> Body {
        var decoder = ChunkDecoder(fromServer: isFromServer)
        var body = Body()
        var kept: [UInt8] = []
        var consumed = 0
        for piece in Pieces.of(bytes, size: size) {
            kept += piece
            var offset = 0
            reading: while true {
                switch decoder.next(kept.span, from: offset) {
                case .data(let range):
                    try require(range.lowerBound >= offset && range.upperBound > range.lowerBound, "data at \(range)")
                    body.data += kept[range.range]
                    offset = range.upperBound
                case .trailer(let range):
                    body.trailers += kept[range.range]
                    offset = range.upperBound
                case .needsMore(let end):
                    try require(end <= kept.count && kept.count - end <= 8_192, "keeps \(kept.count - end) bytes")
                    kept.removeFirst(end)
                    consumed += end
                    break reading
                case .end(let end):
                    body.ending = "end at \(consumed + end)"
                    return body
                case .invalid:
                    body.ending = "invalid"
                    return body
                }
            }
        }
        return body
    }
}
