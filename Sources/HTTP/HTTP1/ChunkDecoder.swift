import ASCII
package import Reactor

/// Takes the chunked coding (RFC 9112 §7.1) off a body, piece by piece. Holds no bytes: what it has not consumed
/// stays with the caller, which comes back with that and more.
///
/// Strict: sizes of 1 to 15 hexadecimal digits, CRLF and nothing else at the end of a line, no white space around a
/// size. Extensions are skipped, but must be text without controls, in a line of at most 256 bytes.
package struct ChunkDecoder: Sendable {
    package enum Step: Equatable, Sendable {
        /// Body bytes, as a range of the input; continue at its upper bound.
        case data(ByteRange)
        /// One trailer line with its CRLF, checked like a header line; continue at its upper bound.
        case trailer(ByteRange)
        /// Nothing more can be said: everything before `consumed` is done with, the rest must be shown again together
        /// with what follows. At most 8 KiB are ever left over.
        case needsMore(consumed: Int)
        /// The body is complete and ends at this offset.
        case end(Int)
        case invalid
    }

    /// Bytes of a line with a chunk's size, CRLF included.
    package static var sizeLineLimit: Int { 256 }
    /// Bytes of all trailer lines, the blank one apart.
    package static var trailerBytesLimit: Int { 8_192 }
    /// Trailer lines.
    package static var trailerLimit: Int { 32 }

    private enum State: Sendable {
        case size
        /// Within a chunk's data; this many bytes of it are still to come, at least one.
        case data(remaining: Int)
        /// At the CRLF after a chunk's data.
        case dataEnd
        case trailers
        case ended
        case failed
    }

    private var state = State.size
    // Small on purpose: two decoders are part of every exchange.
    private var trailerBytes: UInt16 = 0
    private var trailerCount: UInt8 = 0

    package init() {}

    /// The body is complete: `end` has been returned.
    package var isComplete: Bool {
        if case .ended = state { true } else { false }
    }

    /// The next piece of `input` from `offset` on, which is at most `input.count`. After `end` and `invalid` it stays
    /// at that.
    package mutating func next(_ input: Span<UInt8>, from offset: Int) -> Step {
        var position = offset
        while true {
            switch state {
            case .size:
                switch sizeLine(input, at: position) {
                case .incomplete: return .needsMore(consumed: position)
                case .invalid: return fail()
                case .line(let end, let size):
                    state = size == 0 ? .trailers : .data(remaining: size)
                    position = end
                }
            case .data(let remaining):
                let count = min(remaining, input.count &- position)
                guard count > 0 else { return .needsMore(consumed: position) }
                state = count == remaining ? .dataEnd : .data(remaining: remaining &- count)
                return .data(ByteRange(start: position, count: count))
            case .dataEnd:
                guard position < input.count else { return .needsMore(consumed: position) }
                guard input[position] == ByteClass.carriageReturn else { return fail() }
                guard position &+ 1 < input.count else { return .needsMore(consumed: position) }
                guard input[position &+ 1] == ByteClass.lineFeed else { return fail() }
                position &+= 2
                state = .size
            case .trailers:
                return trailer(input, at: position)
            case .ended:
                return .end(position)
            case .failed:
                return .invalid
            }
        }
    }

    private mutating func trailer(_ input: Span<UInt8>, at position: Int) -> Step {
        guard position < input.count else { return .needsMore(consumed: position) }
        var field = Field.blank
        switch input.fieldLine(at: position, into: &field) {
        case .incomplete:
            // The blank line, of which this may be the CR, does not count.
            guard
                input[position] == ByteClass.carriageReturn
                    || Int(trailerBytes) &+ (input.count &- position) < Self.trailerBytesLimit
            else { return fail() }
            return .needsMore(consumed: position)
        case .invalid:
            return fail()
        case .blank:
            state = .ended
            return .end(position &+ 2)
        case .field:
            let bytes = Int(trailerBytes) &+ Int(field.line.count)
            trailerCount &+= 1
            guard bytes <= Self.trailerBytesLimit, Int(trailerCount) <= Self.trailerLimit else { return fail() }
            trailerBytes = UInt16(truncatingIfNeeded: bytes)
            return .trailer(field.line)
        }
    }

    private mutating func fail() -> Step {
        state = .failed
        return .invalid
    }

    private enum SizeLine {
        case incomplete
        case invalid
        case line(end: Int, size: Int)
    }

    private func sizeLine(_ input: Span<UInt8>, at start: Int) -> SizeLine {
        let isCut = input.count &- start >= Self.sizeLineLimit
        let bytes = isCut ? input.extracting(first: start &+ Self.sizeLineLimit) : input
        // Cut off, there is no more to come: the line is too long.
        let missing = isCut ? SizeLine.invalid : .incomplete

        var index = start
        var size = 0
        while index < bytes.count, let digit = bytes[index].hexadecimalValue {
            guard index &- start < 15 else { return .invalid }
            size = size << 4 | Int(digit)
            index &+= 1
        }
        guard index < bytes.count else { return missing }
        guard index > start else { return .invalid }
        if bytes[index] == UInt8(ascii: ";") {
            index = bytes.textEnd(from: index)
            guard index < bytes.count else { return missing }
        }
        guard bytes[index] == ByteClass.carriageReturn else { return .invalid }
        guard index &+ 1 < bytes.count else { return missing }
        guard bytes[index &+ 1] == ByteClass.lineFeed else { return .invalid }
        return .line(end: index &+ 2, size: size)
    }
}
