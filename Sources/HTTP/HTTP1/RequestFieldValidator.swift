import ASCII
import Reactor

/// Validates the fields of a request: each when it is read, and those that depend on each other once all are read.
struct RequestFieldValidator {
    private var framing = FramingFields()
    private var host: ByteRange?
    private var hasConnection = false
    private var seenOnce: UInt8 = 0

    /// Validates a field of a known kind and stores its value in `head`. Returns the error, if there is one.
    @inline(__always)
    mutating func add(_ field: Field, in bytes: Span<UInt8>, into head: inout RequestHead) -> HTTPParseError? {
        switch field.kind {
        case .host:
            return addHost(field.value, in: bytes, minorVersion: head.minorVersion)
        case .contentLength:
            return framing.readLength(field.value, in: bytes)
        case .transferEncoding:
            return framing.readCoding(field.value, in: bytes, minorVersion: head.minorVersion)
        case .expect:
            return Self.addExpect(field.value, in: bytes, into: &head)
        case .connection:
            hasConnection = true
        case .accept:
            if !head.acceptsEventStream {
                head.acceptsEventStream = MediaType.listsEventStream(field.value.range, in: bytes)
            }
        case .mcpSessionID:
            if let first = head.sessionID { return Self.repeated(first, field.value, in: bytes, &head.fields) }
            head.sessionID = field.value
        case .mcpProtocolVersion:
            if let first = head.protocolVersion { return Self.repeated(first, field.value, in: bytes, &head.fields) }
            head.protocolVersion = field.value
        case .lastEventID:
            if let first = head.lastEventID { return Self.repeated(first, field.value, in: bytes, &head.fields) }
            head.lastEventID = field.value
        case .mcpMethod:
            return requireUnique(8)
        case .mcpName:
            return requireUnique(16)
        case .xForwardedFor:
            if head.forwardedFor == nil { head.forwardedFor = field.value }
        case .other, .contentType, .date, .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .http2Settings,
            .forwarded, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedClaim, .forwardedLookalike,
            .clientCertificate:
            break
        }
        return nil
    }

    /// Validates and stores what depends on more than one field. All fields must have been added.
    @inline(__always)
    mutating func validateAll(_ bytes: Span<UInt8>, into head: inout RequestHead) -> HTTPParseError? {
        guard !framing.isAmbiguous, host != nil || head.minorVersion == 0 else { return .malformed }
        // RFC 9112 §3.2.2: the authority of an absolute-form target replaces Host.
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
        if let error = options.read(in: bytes, marking: &head.fields) { return error }
        head.isKeepAlive = options.isKeepAlive(minorVersion: head.minorVersion)
        return nil
    }

    @inline(__always)
    private mutating func addHost(_ value: ByteRange, in bytes: Span<UInt8>, minorVersion: UInt8) -> HTTPParseError? {
        guard host == nil else { return .malformed }
        host = value
        if value.isEmpty { return minorVersion == 0 ? nil : .malformed }
        return bytes.isAuthority(value.range) ? nil : .malformed
    }

    /// RFC 9110 §10.1.1: only `100-continue` is defined, and from an HTTP/1.0 client it is ignored.
    private static func addExpect(
        _ value: ByteRange, in bytes: Span<UInt8>, into head: inout RequestHead
    ) -> HTTPParseError? {
        let text = LowercasedASCII(bytes, at: value.lowerBound, length: Int(value.count))
        guard text.equals("100-cont", "continue", length: 12) else { return .expectationFailed }
        head.expectsContinue = head.minorVersion == 1
        return nil
    }

    /// A field that has one value was said again, in the line that was appended last. An equal value is dropped; of
    /// two different ones, one server would use the first and another the last.
    @inline(never)
    private static func repeated(
        _ first: ByteRange, _ again: ByteRange, in bytes: Span<UInt8>, _ fields: inout FieldTable
    ) -> HTTPParseError? {
        guard bytes.extracting(first.range).equals(bytes.extracting(again.range)) else { return .malformed }
        fields.dropLast()
        return nil
    }

    /// Refuses a repeated field. Two routing fields of one name are ambiguous: one server would read the first and
    /// another the last.
    @inline(__always)
    private mutating func requireUnique(_ bit: UInt8) -> HTTPParseError? {
        defer { seenOnce |= bit }
        return seenOnce & bit == 0 ? nil : .malformed
    }
}
