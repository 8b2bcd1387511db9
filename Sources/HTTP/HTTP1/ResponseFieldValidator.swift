import ASCII
import Reactor

/// Validates the fields of a response: each when it is read, and those that depend on each other once all are read.
struct ResponseFieldValidator {
    private var framing = FramingFields()
    private var hasConnection = false

    /// Validates a field of a known kind and stores its value in `head`. Returns the error, if there is one.
    @inline(__always)
    mutating func add(_ field: Field, in bytes: Span<UInt8>, into head: inout ResponseHead) -> HTTPParseError? {
        switch field.kind {
        case .contentLength:
            return framing.readLength(field.value, in: bytes)
        case .transferEncoding:
            return framing.readCoding(field.value, in: bytes, minorVersion: head.minorVersion)
        case .connection:
            hasConnection = true
        case .contentType:
            if !head.isEventStream {
                head.isEventStream = MediaType.isEventStream(field.value.range, in: bytes)
            }
        case .keepAlive:
            head.keepAliveSeconds = Self.timeout(field.value.range, in: bytes) ?? head.keepAliveSeconds
        case .mcpSessionID:
            // With two ids, one client would use the first and another the last.
            guard head.sessionID == nil else { return .malformed }
            head.sessionID = field.value
        case .other, .host, .expect, .proxyConnection, .te, .trailer, .upgrade, .http2Settings, .forwarded,
            .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedClaim, .forwardedLookalike,
            .clientCertificate, .accept, .mcpProtocolVersion, .mcpMethod, .mcpName, .lastEventID:
            break
        }
        return nil
    }

    /// Validates and stores what depends on more than one field (RFC 9112 §6.3). All fields must have been added.
    @inline(__always)
    mutating func validateAll(
        _ bytes: Span<UInt8>, answering method: Method, into head: inout ResponseHead
    ) -> HTTPParseError? {
        guard !framing.isAmbiguous else { return .malformed }
        if head.isInformational || head.status == 204 {
            guard !framing.isChunked, framing.length ?? 0 == 0 else { return .malformed }
        } else if method != .head, head.status != 304 {
            head.framing = Self.bodyFraming(framing)
        }
        var options = ConnectionOptions()
        if hasConnection, let error = options.read(in: bytes, marking: &head.fields) { return error }
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

    /// N of the first `timeout=N` among the parameters of a Keep-Alive field, in seconds. A value that cannot be read
    /// is ignored rather than refused.
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
