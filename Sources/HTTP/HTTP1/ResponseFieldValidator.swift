import ASCII
import Reactor

/// What the parser gathers from the fields of a response, and judges once it has seen them all.
struct ResponseFieldValidator {
    private var framing = FramingFields()
    private var hasConnection = false

    /// Takes a field of a known kind; returns what is wrong with it.
    @inline(__always)
    mutating func take(_ field: Field, in bytes: Span<UInt8>, into head: inout ResponseHead) -> HTTPParseError? {
        switch field.kind {
        case .contentLength:
            return framing.takeLength(field.value, in: bytes)
        case .transferEncoding:
            return framing.takeCoding(field.value, in: bytes, minorVersion: head.minorVersion)
        case .connection:
            hasConnection = true
        case .contentType:
            if !head.isEventStream {
                head.isEventStream = MediaType.isEventStream(field.value.range, in: bytes)
            }
        case .keepAlive:
            head.keepAliveSeconds = Self.timeout(field.value.range, in: bytes) ?? head.keepAliveSeconds
        case .mcpSessionID:
            // Two ids would be two sessions to two clients.
            guard head.sessionID == nil else { return .malformed }
            head.sessionID = field.value
        case .other, .host, .expect, .date, .proxyConnection, .te, .trailer, .upgrade, .http2Settings, .forwarded,
            .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedLookalike, .clientCertificate,
            .accept,
            .mcpProtocolVersion, .mcpMethod, .mcpName, .lastEventID:
            break
        }
        return nil
    }

    /// Judges the whole and fills in what depends on more than one field (RFC 9112 §6.3).
    @inline(__always)
    mutating func finish(
        _ bytes: Span<UInt8>, answering method: Method, into head: inout ResponseHead
    ) -> HTTPParseError? {
        guard !framing.isAmbiguous else { return .malformed }
        if head.isInformational || head.status == 204 {
            guard !framing.isChunked, framing.length ?? 0 == 0 else { return .malformed }
        } else if method != .head, head.status != 304 {
            head.framing = Self.bodyFraming(framing)
        }
        var options = ConnectionOptions()
        if hasConnection, let fault = options.takeAll(in: bytes, marking: &head.fields) { return fault }
        head.isKeepAlive =
            options.isKeepAlive(minorVersion: head.minorVersion) && head.framing != .untilClose
        return nil
    }

    @inline(__always)
    private static func bodyFraming(_ framing: FramingFields) -> BodyFraming {
        if framing.isChunked { return .chunked }
        guard let length = framing.length else { return .untilClose }
        return .length(length)
    }

    /// N of the first `timeout=N` among the parameters of a Keep-Alive field, in seconds. Not worth a refusal: what
    /// cannot be read is not there.
    private static func timeout(_ value: Range<Int>, in bytes: Span<UInt8>) -> UInt32? {
        var start = value.lowerBound
        while start < value.upperBound {
            start = bytes.skipBlanks(from: start, to: value.upperBound)
            var end = start
            while end < value.upperBound, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            if end &- start > 8, LowercasedASCII(bytes, at: start, length: 8).equals("timeout=", length: 8) {
                let number = (start &+ 8)..<bytes.trimBlanks(from: start &+ 8, to: end)
                return bytes.decimal(number).map { UInt32(clamping: $0) }
            }
            start = end &+ 1
        }
        return nil
    }
}
