import Reactor

/// Parses HTTP/1.x request heads strictly (RFC 9112): what two parsers could read in two ways is refused.
///
/// It reads the head once, from front to back, and decides at the first invalid byte. Later bytes never change a
/// result, so a head that arrives byte by byte has the same result as one that arrives at once. An error may be
/// reported before the head is complete.
package struct RequestParser: Sendable {
    /// The limits on a head's size.
    package let limits: HeadLimits

    /// Makes a parser with these limits.
    package init(limits: HeadLimits) {
        self.limits = limits
    }

    /// Parses one head at the start of `input`. Ranges in `head` count from the first byte of `input`.
    ///
    /// One empty line before the head is skipped (RFC 9112 §2.2) and counted in `head.length` and the outcome. The
    /// contents of `head` are defined only after `.complete`.
    package func parse(_ input: Span<UInt8>, into head: inout RequestHead) -> HeadOutcome {
        head.reset()
        var start = 0
        if input.count > 0, input[0] == ByteClass.carriageReturn {
            guard input.count > 1 else { return .incomplete }
            guard input[1] == ByteClass.lineFeed else { return .invalid(.malformed) }
            start = 2
        }
        // Bytes beyond the limit are not read, so that one long read and many short ones have the same result.
        guard input.count &- start >= limits.headBytes else { return parse(input, from: start, into: &head) }
        let outcome = parse(input.extracting(first: start &+ limits.headBytes), from: start, into: &head)
        return outcome == .incomplete ? .invalid(.headTooLarge) : outcome
    }

    /// Parses the head at the start of `input` that an HTTP/2 session has written and whose lines it has noted in
    /// `events`. Decides and stores what `parse` does for the same text, without searching it for the lines.
    package func parse(
        _ input: Span<UInt8>, _ noted: HTTP2RequestHead, in events: borrowing HTTP2Events, into head: inout RequestHead
    ) -> HeadOutcome {
        head.reset()
        let length = Int(noted.text.count)
        guard !noted.lines.isEmpty, noted.lines.count <= fieldLimit, noted.lines.upperBound <= events.lines.count,
            length <= min(input.count, limits.headBytes),
            case .complete = requestLine(input.extracting(first: length), from: 0, into: &head)
        else { return parse(input, into: &head) }
        var validator = RequestFieldValidator()
        for index in noted.lines {
            let field = events.lines[index]
            head.fields.append(field)
            if field.kind != .other, let error = validator.add(field, in: input, into: &head) { return .invalid(error) }
        }
        head.length = length
        if let error = validator.validateAll(input, into: &head) { return .invalid(error) }
        return .complete(length)
    }

    /// The most field lines of a head.
    private var fieldLimit: Int { min(limits.fields, FieldTable.capacity) }

    @inline(__always)
    private func parse(_ bytes: Span<UInt8>, from start: Int, into head: inout RequestHead) -> HeadOutcome {
        var position: Int
        switch requestLine(bytes, from: start, into: &head) {
        case .complete(let next): position = next
        case let other: return other
        }
        var validator = RequestFieldValidator()
        var field = Field.blank
        while true {
            guard position < bytes.count else { return .incomplete }
            switch bytes.fieldLine(at: position, into: &field) {
            case .incomplete:
                return .incomplete
            case .invalid:
                return .invalid(.malformed)
            case .field:
                guard head.fields.count < fieldLimit else { return .invalid(.headTooLarge) }
                head.fields.append(field)
                if field.kind != .other, let error = validator.add(field, in: bytes, into: &head) {
                    return .invalid(error)
                }
                position = field.line.upperBound
            case .blank:
                head.length = position &+ 2
                if let error = validator.validateAll(bytes, into: &head) { return .invalid(error) }
                return .complete(head.length)
            }
        }
    }

    /// Parses the request line (RFC 9112 §3). `.complete` has the offset of the first field line.
    @inline(__always)
    private func requestLine(_ bytes: Span<UInt8>, from start: Int, into head: inout RequestHead) -> HeadOutcome {
        let methodEnd = bytes.tokenEnd(from: start)
        guard methodEnd < bytes.count else { return .incomplete }
        guard methodEnd > start, bytes[methodEnd] == ByteClass.space else { return .invalid(.malformed) }

        let targetStart = methodEnd &+ 1
        let targetEnd = bytes.targetEnd(from: targetStart)
        guard targetEnd &- targetStart <= limits.targetBytes else { return .invalid(.targetTooLong) }
        guard targetEnd < bytes.count else { return .incomplete }
        guard targetEnd > targetStart, bytes[targetEnd] == ByteClass.space else { return .invalid(.malformed) }

        let version = StartLineVersion(bytes, at: targetEnd &+ 1)
        guard case .found(let minorVersion) = version else { return version.outcome }
        let lineEnd = targetEnd &+ 9
        guard lineEnd < bytes.count else { return .incomplete }
        guard bytes[lineEnd] == ByteClass.carriageReturn else { return .invalid(.malformed) }
        guard lineEnd &+ 1 < bytes.count else { return .incomplete }
        guard bytes[lineEnd &+ 1] == ByteClass.lineFeed else { return .invalid(.malformed) }

        head.minorVersion = minorVersion
        head.methodName = ByteRange(start: start, count: methodEnd &- start)
        head.method = Method(bytes, at: start, length: methodEnd &- start)
        if head.method == .connect {
            return .invalid(bytes.isAuthority(targetStart..<targetEnd) ? .methodUnsupported : .malformed)
        }
        guard RequestTarget.read(targetStart..<targetEnd, in: bytes, into: &head) else {
            return .invalid(.malformed)
        }
        return .complete(lineEnd &+ 2)
    }
}
