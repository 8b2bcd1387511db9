import Reactor

/// What the parser gathers from the fields of a request, and judges once it has seen them all.
struct RequestFieldValidator {
    private var framing = FramingFields()
    private var host: ByteRange?
    private var hasConnection = false
    private var seenOnce: UInt8 = 0

    /// Takes a field of a known kind; returns what is wrong with it.
    @inline(__always)
    mutating func take(_ field: Field, in bytes: Span<UInt8>, into head: inout RequestHead) -> HTTPParseError? {
        switch field.kind {
        case .host:
            return takeHost(field.value, in: bytes, minorVersion: head.minorVersion)
        case .contentLength:
            return framing.takeLength(field.value, in: bytes)
        case .transferEncoding:
            return framing.takeCoding(field.value, in: bytes, minorVersion: head.minorVersion)
        case .expect:
            return Self.takeExpect(field.value, in: bytes, into: &head)
        case .connection:
            hasConnection = true
        case .accept:
            if !head.acceptsEventStream {
                head.acceptsEventStream = MediaType.listsEventStream(field.value.range, in: bytes)
            }
        case .mcpSessionID:
            head.sessionID = field.value
            return takeOnce(1)
        case .mcpProtocolVersion:
            head.protocolVersion = field.value
            return takeOnce(2)
        case .lastEventID:
            head.lastEventID = field.value
            return takeOnce(4)
        case .mcpMethod:
            return takeOnce(8)
        case .mcpName:
            return takeOnce(16)
        case .xForwardedFor:
            if head.forwardedFor == nil { head.forwardedFor = field.value }
        case .other, .contentType, .date, .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .http2Settings,
            .forwarded, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedLookalike, .clientCertificate:
            break
        }
        return nil
    }

    /// Judges the whole and fills in what depends on more than one field.
    @inline(__always)
    mutating func finish(_ bytes: Span<UInt8>, into head: inout RequestHead) -> HTTPParseError? {
        guard !framing.isAmbiguous, host != nil || head.minorVersion == 0 else { return .malformed }
        // RFC 9112 §3.2.2: the authority of an absolute-form target wins.
        if let host, head.authority.isEmpty { head.authority = host }
        if framing.isChunked {
            head.framing = .chunked
        } else if let length = framing.length {
            head.framing = .length(length)
        }
        guard hasConnection else {
            head.isKeepAlive = head.minorVersion == 1
            return nil
        }
        var options = ConnectionOptions()
        if let fault = options.takeAll(in: bytes, marking: &head.fields) { return fault }
        head.isKeepAlive = options.isKeepAlive(minorVersion: head.minorVersion)
        return nil
    }

    @inline(__always)
    private mutating func takeHost(_ value: ByteRange, in bytes: Span<UInt8>, minorVersion: UInt8) -> HTTPParseError? {
        guard host == nil else { return .malformed }
        host = value
        if value.isEmpty { return minorVersion == 0 ? nil : .malformed }
        return bytes.isAuthority(value.range) ? nil : .malformed
    }

    /// RFC 9110 §10.1.1: nothing but `100-continue` is defined, and an HTTP/1.0 client cannot mean it.
    private static func takeExpect(
        _ value: ByteRange, in bytes: Span<UInt8>, into head: inout RequestHead
    ) -> HTTPParseError? {
        let text = LowercasedASCII(bytes, at: value.lowerBound, length: Int(value.count))
        guard text.equals("100-cont", "continue", length: 12) else { return .expectationFailed }
        head.expectsContinue = head.minorVersion == 1
        return nil
    }

    /// For fields that route: with two of them, one server would read the first and another the last.
    @inline(__always)
    private mutating func takeOnce(_ bit: UInt8) -> HTTPParseError? {
        defer { seenOnce |= bit }
        return seenOnce & bit == 0 ? nil : .malformed
    }
}
