import HTTP
import Reactor

/// Finds the pieces and the end of one body, whatever its framing. Holds no bytes.
struct BodyReader {
    private(set) var framing: BodyFraming
    private var decoder = ChunkDecoder()
    private(set) var isComplete: Bool

    init(_ framing: BodyFraming) {
        self.framing = framing
        isComplete = framing == .none || framing == .length(0)
    }

    /// The next piece of `input` from `offset` on. `needsMore` leaves what it has not consumed to be shown again.
    mutating func next(_ input: Span<UInt8>, from offset: Int) -> ChunkDecoder.Step {
        if isComplete { return .end(offset) }
        let available = input.count - offset
        switch framing {
        case .none:
            return .end(offset)
        case .length(let left):
            guard available > 0 else { return .needsMore(consumed: offset) }
            let count = Int(min(UInt64(available), left))
            framing = .length(left - UInt64(count))
            isComplete = left == UInt64(count)
            return .data(ByteRange(start: offset, count: count))
        case .untilClose:
            guard available > 0 else { return .needsMore(consumed: offset) }
            return .data(ByteRange(start: offset, count: available))
        case .chunked:
            let step = decoder.next(input, from: offset)
            if case .end = step { isComplete = true }
            return step
        }
    }

    /// The connection ended. True if that is how this body was to end.
    mutating func endsWithConnection() -> Bool {
        if framing == .untilClose { isComplete = true }
        return isComplete
    }
}
