import ASCII
package import Reactor

/// Decodes the chunked transfer coding (RFC 9112 §7.1) incrementally. It stores no bytes: the caller keeps what was
/// not consumed and passes it again together with the bytes that follow.
///
/// A size has 1 to 15 hexadecimal digits, and a line ends with CRLF. Extensions are skipped, but none may be empty, have
/// control characters or an open quotation mark, and the line has at most 256 bytes. White space may stand before the
/// `;` of an extension; from a server it may stand around a size as well, and before a trailer's colon, whose line is
/// then not to be forwarded.
package struct ChunkDecoder: Sendable {
    /// The next piece of the body.
    package enum Step: Equatable, Sendable {
        /// Body bytes, as a range of the input; continue at its upper bound.
        case data(ByteRange)
        /// One trailer line with its CRLF, checked like a header line; continue at its upper bound.
        case trailer(ByteRange)
        /// The input has no further complete piece. Bytes before `consumed` are processed; the others must be passed
        /// again together with the bytes that follow. They are at most 8 KiB.
        case needsMore(consumed: Int)
        /// The body is complete and ends at this offset.
        case end(Int)
        /// The coding is malformed; the connection cannot be used any further.
        case invalid
    }

    /// The most bytes of a line with a chunk's size, CRLF included.
    package static var sizeLineLimit: Int { 256 }
    /// The most bytes of all trailer lines, without the blank line.
    package static var trailerBytesLimit: Int { 8_192 }
    /// The most trailer lines.
    package static var trailerLimit: Int { 32 }

    private enum State: Sendable {
        case size
        /// Within a chunk's data, of which `remaining` bytes have not come yet, at least one.
        case data(remaining: Int)
        /// At the CRLF after a chunk's data.
        case dataEnd
        case trailers
        case ended
        case failed
    }

    private var state = State.size
    // Small types, because every exchange has two decoders.
    private var trailerBytes: UInt16 = 0
    private var trailerCount: UInt8 = 0
    private let isFromServer: Bool

    /// A decoder at the start of a body, which a server or a client sends.
    package init(fromServer: Bool = false) {
        isFromServer = fromServer
    }

    /// Whether the body is complete: `end` has been returned.
    package var isComplete: Bool {
        if case .ended = state { true } else { false }
    }

    /// Returns the next piece of `input` from `offset` on, which is at most `input.count`. After `end` or `invalid` it
    /// returns the same again.
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
        var line = input.fieldLine(at: position, into: &field)
        if line == .invalid, isFromServer { line = input.spacedFieldLine(at: position, into: &field) }
        switch line {
        case .incomplete:
            // A CR may begin the blank line, which does not count.
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
        let isTooLong = input.count &- start >= Self.sizeLineLimit
        let bytes = isTooLong ? input.extracting(first: start &+ Self.sizeLineLimit) : input
        // Without an end within the limit the line is too long.
        let missing = isTooLong ? SizeLine.invalid : .incomplete

        let digits = isFromServer ? bytes.skipBlanks(from: start, to: bytes.count) : start
        var index = digits
        var size = 0
        while index < bytes.count, let digit = bytes[index].hexadecimalValue {
            guard index &- digits < 15 else { return .invalid }
            size = size << 4 | Int(digit)
            index &+= 1
        }
        guard index < bytes.count else { return missing }
        guard index > digits else { return .invalid }
        if bytes[index] != ByteClass.carriageReturn {
            switch extensionsEnd(bytes, from: index) {
            case .found(let end): index = end
            case .incomplete: return missing
            case .invalid: return .invalid
            }
        }
        guard index &+ 1 < bytes.count else { return missing }
        guard bytes[index &+ 1] == ByteClass.lineFeed else { return .invalid }
        return .line(end: index &+ 2, size: size)
    }

    private enum ExtensionsEnd {
        case incomplete
        case invalid
        /// The offset of the CR.
        case found(Int)
    }

    /// Skips what stands between a size and its CR: white space and extensions (RFC 9112 §7.1.1).
    @inline(never)
    private func extensionsEnd(_ bytes: Span<UInt8>, from start: Int) -> ExtensionsEnd {
        var index = bytes.skipBlanks(from: start, to: bytes.count)
        guard index < bytes.count else { return .incomplete }
        if isFromServer, bytes[index] == ByteClass.carriageReturn { return .found(index) }
        guard bytes[index] == UInt8(ascii: ";") else { return .invalid }
        var isEmpty = true
        var isQuoted = false
        while true {
            index &+= 1
            guard index < bytes.count else { return .incomplete }
            let byte = bytes[index]
            switch byte {
            case ByteClass.carriageReturn: return isEmpty || isQuoted ? .invalid : .found(index)
            case _ where ByteClass.isForbiddenControl(byte): return .invalid
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted:
                // The next byte is quoted, whatever it is.
                guard index &+ 1 < bytes.count else { return .incomplete }
                if !ByteClass.isForbiddenControl(bytes[index &+ 1]) { index &+= 1 }
            case UInt8(ascii: ";") where !isQuoted:
                if isEmpty { return .invalid }
                isEmpty = true
                continue
            default: break
            }
            if !ByteClass.isBlank(byte) { isEmpty = false }
        }
    }
}
