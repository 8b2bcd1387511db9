import HTTP
import Reactor

/// The body of a check's response as it comes: decoded, and no more of it than a check needs.
struct CheckBody {
    /// How far the body is.
    enum Progress { case incomplete, complete, tooLong, malformed }

    private var reader = BodyReader.complete
    private(set) var bytes: [UInt8] = []
    /// Bytes that are kept at most.
    private let limit: Int

    init(_ framing: BodyFraming = .none, limit: Int = 0) {
        reader = BodyReader(framing, fromServer: true)
        self.limit = limit
    }

    /// The connection's end is the body's.
    var endsWithConnection: Bool { reader.endsWithConnection() }

    /// Takes what belongs to the body from the front of `input`. `tooLong` leaves the first `limit` bytes.
    mutating func read(_ input: inout ByteBuffer) -> Progress {
        var offset = 0
        while true {
            switch reader.next(input.span, from: offset) {
            case .data(let range):
                offset = range.upperBound
                bytes += input.bytes(range.range).prefix(limit - bytes.count)
                if bytes.count >= limit, limit > 0 { return .tooLong }
            case .trailer(let range):
                offset = range.upperBound
            case .needsMore(let consumed):
                input.consume(consumed)
                return .incomplete
            case .end(let end):
                input.consume(end)
                return .complete
            case .invalid:
                return .malformed
            }
        }
    }
}
