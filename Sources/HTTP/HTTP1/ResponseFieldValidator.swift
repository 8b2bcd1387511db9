import ASCII
import Reactor

/// Validates the fields of a response: each when it is read, and those that depend on each other once all are read.
struct ResponseFieldValidator {
    private var framing = FramingFields()
    private var hasConnection = false
    /// A response without a body says that it has one.
    private var announcesBody = false

    /// Validates a field of a known kind and stores its value in `head`. Returns the error, if there is one.
    @inline(__always)
    mutating func add(_ field: Field, in bytes: Span<UInt8>, into head: inout ResponseHead) -> HTTPParseError? {
        switch field.kind {
        case .contentLength:
            if framing.length == nil, !head.isBodiless, framing.readLength(field.value, in: bytes) == nil { return nil }
            return addUnusualLength(field.value, in: bytes, into: &head)
        case .transferEncoding:
            return addCoding(field.value, in: bytes, into: &head)
        case .date:
            head.hasDate = true
        case .connection:
            hasConnection = true
        case .contentType:
            if !head.isEventStream {
                head.isEventStream = MediaType.isEventStream(field.value.range, in: bytes)
            }
        case .keepAlive:
            head.keepAliveSeconds = Self.timeout(field.value.range, in: bytes) ?? head.keepAliveSeconds
        case .mcpSessionID:
            if let first = head.sessionID { return repeated(first, field.value, in: bytes, into: &head) }
            head.sessionID = field.value
        case .other, .host, .expect, .proxyConnection, .te, .trailer, .upgrade, .http2Settings, .forwarded,
            .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedClaim, .forwardedLookalike,
            .clientCertificate, .accept, .mcpProtocolVersion, .mcpMethod, .mcpName, .lastEventID:
            break
        }
        return nil
    }

    /// A Content-Length that repeats another, is a list, or stands in a response that has no body.
    @inline(never)
    private mutating func addUnusualLength(
        _ value: ByteRange, in bytes: Span<UInt8>, into head: inout ResponseHead
    ) -> HTTPParseError? {
        let isRepeat = framing.length != nil
        switch framing.readRepeatableLength(value, in: bytes) {
        case .failure(let error):
            guard head.isBodiless else { return fail(.contentLength, error, &head) }
            head.fields.dropLast()
        case .success(let first):
            // One with a body must not announce it in 1xx and 204 (RFC 9110 §8.6); in 304 it is a fact about another.
            if head.isBodiless, head.status != 304 {
                if framing.length != 0 { announcesBody = true }
                head.fields.dropLast()
            } else if isRepeat {
                head.fields.dropLast()
            } else if first.count != value.count {
                head.fields.shortenLast(to: first)
                head.needsRewriting = true
            }
        }
        return nil
    }

    @inline(never)
    private mutating func addCoding(
        _ value: ByteRange, in bytes: Span<UInt8>, into head: inout ResponseHead
    ) -> HTTPParseError? {
        if head.isBodiless {
            if head.status != 304 { announcesBody = true }
            return nil
        }
        guard let error = framing.readCoding(value, in: bytes, minorVersion: head.minorVersion) else { return nil }
        return fail(.transferEncoding, error, &head)
    }

    /// The session's id was said again: with two ids, one client would use the first and another the last.
    @inline(never)
    private func repeated(
        _ first: ByteRange, _ again: ByteRange, in bytes: Span<UInt8>, into head: inout ResponseHead
    ) -> HTTPParseError? {
        guard bytes.extracting(first.range).equals(bytes.extracting(again.range)) else {
            return fail(.sessionID, .malformed, &head)
        }
        head.fields.dropLast()
        return nil
    }

    private func fail(_ fault: ResponseFault, _ error: HTTPParseError, _ head: inout ResponseHead) -> HTTPParseError {
        head.fault = fault
        return error
    }

    /// Validates and stores what depends on more than one field (RFC 9112 §6.3). All fields must have been added.
    @inline(__always)
    mutating func validateAll(
        _ bytes: Span<UInt8>, answering method: Method, into head: inout ResponseHead
    ) -> HTTPParseError? {
        guard !framing.isAmbiguous else { return fail(.bothLengths, .malformed, &head) }
        if method != .head, !head.isBodiless { head.framing = Self.bodyFraming(framing) }
        var options = ConnectionOptions()
        if hasConnection, let error = options.read(in: bytes, marking: &head.fields) {
            return fail(.connection, error, &head)
        }
        // Behind a response that announces a body it must not have, one may follow all the same.
        head.isKeepAlive =
            options.isKeepAlive(minorVersion: head.minorVersion) && head.framing != .untilClose && !announcesBody
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
