import HTTP
import Reactor

/// Finds the pieces and the end of one body, whatever its framing. Holds no bytes; 16 bytes itself, because every
/// exchange has two.
enum BodyReader {
    /// The end was found, or there is no body.
    case complete
    /// So many bytes of a counted body are still to come; at least one.
    case length(UInt64)
    case chunked(ChunkDecoder)
    case untilClose

    init(_ framing: BodyFraming, fromServer: Bool = false) {
        switch framing {
        case .none, .length(0): self = .complete
        case .length(let count): self = .length(count)
        case .chunked: self = .chunked(ChunkDecoder(fromServer: fromServer))
        case .untilClose: self = .untilClose
        }
    }

    var isComplete: Bool { if case .complete = self { true } else { false } }
    var isChunked: Bool { if case .chunked = self { true } else { false } }
    var isUntilClose: Bool { if case .untilClose = self { true } else { false } }

    /// The next piece of `input` from `offset` on. `needsMore` leaves what it has not consumed to be shown again.
    mutating func next(_ input: Span<UInt8>, from offset: Int) -> ChunkDecoder.Step {
        let available = input.count - offset
        switch self {
        case .complete:
            return .end(offset)
        case .length(let left):
            guard available > 0 else { return .needsMore(consumed: offset) }
            let count = Int(min(UInt64(available), left))
            self = left == UInt64(count) ? .complete : .length(left - UInt64(count))
            return .data(ByteRange(start: offset, count: count))
        case .untilClose:
            guard available > 0 else { return .needsMore(consumed: offset) }
            return .data(ByteRange(start: offset, count: available))
        case .chunked(var decoder):
            let step = decoder.next(input, from: offset)
            if case .end = step { self = .complete } else { self = .chunked(decoder) }
            return step
        }
    }

    /// The connection ended. True if that is how this body was to end.
    func endsWithConnection() -> Bool { isUntilClose || isComplete }
}
