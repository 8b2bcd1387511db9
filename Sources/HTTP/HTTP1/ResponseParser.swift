import ASCII
import Reactor

/// Parses HTTP/1.x response heads, liberally where the RFCs ask for it: white space before a colon, equal repeats of
/// Content-Length and of Mcp-Session-Id, and lengths of bodies that cannot be. In all else it is as strict as
/// `RequestParser`.
package struct ResponseParser: Sendable {
    /// The limits on a head's size.
    package let limits: HeadLimits

    /// Makes a parser with these limits.
    package init(limits: HeadLimits) {
        self.limits = limits
    }

    /// Parses one head at the start of `input`. `method` is the request's: it decides whether there is a body
    /// (RFC 9112 §6.3: responses to HEAD, 1xx, 204 and 304 have none, whatever the fields say).
    ///
    /// Also refused as malformed is 101, which no client requested because Upgrade is never forwarded. `head.fault` says
    /// why a head was refused.
    package func parse(_ input: Span<UInt8>, answering method: Method, into head: inout ResponseHead) -> HeadOutcome {
        head.reset()
        // Bytes beyond the limit are not read, so that one long read and many short ones have the same result.
        guard input.count >= limits.headBytes else { return parseBounded(input, answering: method, into: &head) }
        let outcome = parseBounded(input.extracting(first: limits.headBytes), answering: method, into: &head)
        guard outcome == .incomplete else { return outcome }
        head.fault = .tooLarge
        return .invalid(.headTooLarge)
    }

    @inline(__always)
    private func parseBounded(
        _ bytes: Span<UInt8>, answering method: Method, into head: inout ResponseHead
    ) -> HeadOutcome {
        var position: Int
        switch statusLine(bytes, into: &head) {
        case .complete(let next): position = next
        case let other: return other
        }
        var validator = ResponseFieldValidator()
        var field = Field.blank
        while true {
            guard position < bytes.count else { return .incomplete }
            var line = bytes.fieldLine(at: position, into: &field)
            if line == .invalid {
                line = bytes.spacedFieldLine(at: position, into: &field)
                head.needsRewriting = true
            }
            switch line {
            case .incomplete:
                return .incomplete
            case .invalid:
                return Self.fail(.fieldLine, .malformed, &head)
            case .field:
                guard head.fields.count < min(limits.fields, FieldTable.capacity) else {
                    return Self.fail(.tooManyFields, .headTooLarge, &head)
                }
                head.fields.append(field)
                if field.kind != .other, let error = validator.add(field, in: bytes, into: &head) {
                    return .invalid(error)
                }
                position = field.line.upperBound
            case .blank:
                head.length = position &+ 2
                if let error = validator.validateAll(bytes, answering: method, into: &head) { return .invalid(error) }
                return .complete(head.length)
            }
        }
    }

    private static func fail(
        _ fault: ResponseFault, _ error: HTTPParseError, _ head: inout ResponseHead
    ) -> HeadOutcome {
        head.fault = fault
        return .invalid(error)
    }

    /// Parses the status line (RFC 9112 §4). `.complete` has the offset of the first field line. The space before an
    /// empty reason phrase may be missing: many servers omit it, and it is not ambiguous.
    @inline(__always)
    private func statusLine(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> HeadOutcome {
        let version = StartLineVersion(bytes, at: 0)
        guard case .found(let minorVersion) = version else {
            head.fault = version == .unsupported ? .version : .statusLine
            return version.outcome
        }
        guard bytes.count > 8 else { return .incomplete }
        guard bytes[8] == ByteClass.space else { return Self.fail(.statusLine, .malformed, &head) }

        var status: UInt16 = 0
        for index in 9..<12 {
            guard index < bytes.count else { return .incomplete }
            guard bytes[index].isDigit else { return Self.fail(.statusLine, .malformed, &head) }
            status = status &* 10 &+ UInt16(bytes[index] &- UInt8(ascii: "0"))
        }
        guard 100...599 ~= status else { return Self.fail(.status, .malformed, &head) }
        guard status != 101 else { return Self.fail(.switchingProtocols, .malformed, &head) }

        guard bytes.count > 12 else { return .incomplete }
        let reasonStart = bytes[12] == ByteClass.space ? 13 : 12
        let end = bytes.textEnd(from: reasonStart)
        guard end == reasonStart || reasonStart == 13 else { return Self.fail(.statusLine, .malformed, &head) }
        guard end < bytes.count else { return .incomplete }
        guard bytes[end] == ByteClass.carriageReturn else { return Self.fail(.statusLine, .malformed, &head) }
        guard end &+ 1 < bytes.count else { return .incomplete }
        guard bytes[end &+ 1] == ByteClass.lineFeed else { return Self.fail(.statusLine, .malformed, &head) }

        head.status = status
        head.minorVersion = minorVersion
        head.reason = ByteRange(start: reasonStart, count: end &- reasonStart)
        return .complete(end &+ 2)
    }
}
