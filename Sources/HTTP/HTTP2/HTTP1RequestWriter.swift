import ASCII
import Reactor

/// Writes the header block that is being received as HTTP/1.1 text at the end of a buffer. A connection has at most one
/// open block, because no other frame may come between the frames of a block (RFC 9113 section 4.3).
///
/// nghttp2 has already checked names, values, pseudo-header fields and their order (RFC 9113 sections 8.2 and 8.3).
/// This type refuses what an HTTP/1.1 server would read in another way.
///
/// It notes the field lines as it writes them, so that a request's text need not be searched for them again.
struct HTTP1RequestWriter: ~Copyable {
    /// The result of adding a field.
    enum FieldResult {
        /// The field was written, dropped or is beyond the limits (`isTooLarge`).
        case accepted
        /// The block is malformed.
        case malformed
        /// The block exceeds the limits so far that the connection is to be ended.
        case excessive
    }

    /// The stream of the open block; 0 if none is open.
    private(set) var stream: Int32 = 0
    /// Whether the block exceeds the limits. Its text is incomplete then.
    private(set) var isTooLarge = false
    /// Whether the method is CONNECT.
    private(set) var isConnect = false

    /// The value of the request's content-length, in bytes; negative if it has none.
    private(set) var length: Int64 = -1

    private var isTrailers = false
    /// Whether the text is in `saved` rather than in the buffer.
    private var isSuspended = false
    private var hasRequestLine = false
    /// The offset of the text in the buffer.
    private var start = 0
    /// The offset of the block's lines among the lines of the events; negative if they are not noted.
    private var firstLine = -1
    private var fields = 0
    private var size = 0
    /// The values of the pseudo-header fields, until the request line can be written. The ranges below refer to it.
    private var pseudoHeaders = ByteBuffer()
    private var method = ByteRange.empty
    private var path = ByteRange.empty
    private var authority = ByteRange.empty
    /// The default port of the scheme (RFC 9110 section 4.2), as it follows a host; empty if there is none.
    private var defaultPort: StaticString = ""
    /// The cookie fields joined to one value (RFC 9113 section 8.2.3).
    private var cookie = ByteBuffer()
    /// The text so far, between two calls of `HTTP2Session.receive`.
    private var saved = ByteBuffer()

    /// Whether a block is open.
    var isOpen: Bool { stream != 0 }

    /// Opens a block whose text begins at the end of the events' bytes.
    mutating func begin(stream: Int32, isTrailers: Bool, in events: borrowing HTTP2Events) {
        self.stream = stream
        self.isTrailers = isTrailers
        start = events.bytes.count
        firstLine = isTrailers ? -1 : events.lines.count
        isSuspended = false
        isTooLarge = false
        isConnect = false
        hasRequestLine = false
        length = -1
        fields = 0
        size = 0
        pseudoHeaders.clear()
        method = .empty
        path = .empty
        authority = .empty
        defaultPort = ""
        cookie.clear()
    }

    /// Moves the text of an open block from `bytes` to `saved`, because `bytes` is cleared before more of the block
    /// comes.
    mutating func suspend(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        saved.append(bytes, start..<bytes.count)
        bytes.truncate(to: start)
        isSuspended = true
        // The lines are forgotten before the block's end.
        firstLine = -1
    }

    /// Moves the saved text of an open block to the end of `bytes`.
    mutating func resume(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        start = bytes.count
        bytes.take(&saved)
        isSuspended = false
    }

    /// Closes the block and removes its text.
    mutating func discard(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        // A stream may close while frames are sent. An unfinished block is suspended then.
        if isSuspended { saved.clear() } else { bytes.truncate(to: start) }
        close()
    }

    private mutating func close() {
        stream = 0
        isSuspended = false
        if pseudoHeaders.allocated > Self.keptBytes { pseudoHeaders.release() }
        cookie.release()
    }

    /// The most memory for pseudo-header values that is kept between two blocks, in bytes.
    private static var keptBytes: Int { 1_024 }

    /// Adds one field of the block. After any result but `accepted` the block must be discarded.
    mutating func add(
        name: Span<UInt8>, value: Span<UInt8>, to events: inout HTTP2Events, limits: HTTP2Limits
    ) -> FieldResult {
        let isPseudo = !name.isEmpty && name[0] == UInt8(ascii: ":")
        size += name.count + value.count + 4
        if !isPseudo { fields += 1 }
        if size > limits.headerListBytes || fields > limits.fields {
            isTooLarge = true
            let isExcessive =
                size > limits.headerListBytes * limits.excessFactor || fields > limits.fields * limits.excessFactor
            return isExcessive ? .excessive : .accepted
        }
        if isPseudo { return addPseudoHeader(name, value) }
        if isTrailers {
            if TrailerRules.mayForward(name) { Self.write(name, value, to: &events.bytes) }
            return .accepted
        }
        if !hasRequestLine { writeRequestLine(to: &events) }
        return addField(name, value, to: &events)
    }

    private mutating func addPseudoHeader(_ name: Span<UInt8>, _ value: Span<UInt8>) -> FieldResult {
        let range = ByteRange(start: pseudoHeaders.count, count: value.count)
        // nghttp2 has refused `:status` and `:protocol`, and `:scheme` has no counterpart in HTTP/1.1's origin form.
        switch name.count {
        case 5 where name[1] == UInt8(ascii: "p"):
            guard value.targetEnd(from: 0) == value.count else { return .malformed }
            path = range
        case 7 where name[1] == UInt8(ascii: "m"):
            guard value.tokenEnd(from: 0) == value.count else { return .malformed }
            method = range
            isConnect = value.count == 7 && Method(value, at: 0, length: 7) == .connect
        case 10 where name[1] == UInt8(ascii: "a"):
            guard value.targetEnd(from: 0) == value.count else { return .malformed }
            authority = range
        case 7:
            // `http` or `https`, told by their length and ends: every request says one of them.
            guard !value.isEmpty, value[0] == UInt8(ascii: "h") else { return .accepted }
            let last = value[value.count - 1]
            if value.count == 5, last == UInt8(ascii: "s") { defaultPort = ":443" }
            if value.count == 4, last == UInt8(ascii: "p") { defaultPort = ":80" }
            return .accepted
        default:
            return .accepted
        }
        pseudoHeaders.append(value)
        return .accepted
    }

    private mutating func addField(
        _ name: Span<UInt8>, _ value: Span<UInt8>, to events: inout HTTP2Events
    ) -> FieldResult {
        let known = FieldName(name)
        switch known.kind {
        case .host where !authority.isEmpty:
            // The Host line was written from `:authority`. A different Host is malformed (RFC 9113 section 8.3.1).
            let written = pseudoHeaders.span.extracting(authority.range)
            let isSame = withoutDefaultPort(written).equalsIgnoringCase(withoutDefaultPort(value))
            return isSame ? .accepted : .malformed
        case .te, .http2Settings:
            // These fields are for this hop only. `te: trailers` has no effect in HTTP/1.1, where trailers may follow
            // any chunked body.
            return .accepted
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            return .malformed
        case .contentLength:
            length = Self.number(value)
        case .other where name.count == 6:
            if LowercasedASCII(name, at: 0, length: 6).equals("cookie  ", length: 6) {
                if !cookie.isEmpty { cookie.append("; ") }
                cookie.append(value)
                return .accepted
            }
        default:
            break
        }
        // A parser would trim the value.
        if !value.isEmpty, ByteClass.isBlank(value[0]) || ByteClass.isBlank(value[value.count &- 1]) { firstLine = -1 }
        let line = events.bytes.count
        Self.write(name, value, to: &events.bytes)
        note(known, at: line, name: name.count, value: value.count, in: &events)
        return .accepted
    }

    /// Notes the line that was just written at the offset `line`.
    @inline(__always)
    private mutating func note(
        _ known: FieldName, at line: Int, name: Int, value: Int, in events: inout HTTP2Events
    ) {
        guard firstLine >= 0, !events.lines.isFull else {
            firstLine = -1
            return
        }
        let offset = line &- start
        events.lines.append(
            Field(
                name: ByteRange(start: offset, count: name),
                value: ByteRange(start: offset &+ name &+ 2, count: value),
                line: ByteRange(start: offset, count: name &+ value &+ 4), kind: known.kind,
                isHopByHop: known.isHopByHop))
    }

    /// Writes a line of the writer's own, and notes it.
    private mutating func write(_ line: StaticString, name: Int, _ known: FieldName, to events: inout HTTP2Events) {
        let offset = events.bytes.count
        events.bytes.append(line)
        note(known, at: offset, name: name, value: line.utf8CodeUnitCount - name - 4, in: &events)
    }

    /// The authority without its port, if that is the scheme's own or empty (RFC 9110 section 4.2.3).
    @_lifetime(copy authority)
    private func withoutDefaultPort(_ authority: Span<UInt8>) -> Span<UInt8> {
        let hostBytes = authority.count - defaultPort.utf8CodeUnitCount
        if defaultPort.utf8CodeUnitCount > 0, authority.has(defaultPort, at: hostBytes) {
            return authority.extracting(..<hostBytes)
        }
        if authority.has(":", at: authority.count - 1) { return authority.extracting(..<(authority.count - 1)) }
        return authority
    }

    /// Completes a request's text and closes the block. Returns the head; nil, with its text removed, if the method or
    /// the path is missing or invalid.
    mutating func endRequest(endsStream: Bool, in events: inout HTTP2Events) -> HTTP2RequestHead? {
        if !hasRequestLine { writeRequestLine(to: &events) }
        if !cookie.isEmpty {
            let line = events.bytes.count
            events.bytes.append("cookie: ")
            events.bytes.append(cookie)
            events.bytes.append("\r\n")
            note(.other, at: line, name: 6, value: cookie.count, in: &events)
        }
        if length < 0 {
            if !endsStream {
                write("transfer-encoding: chunked\r\n", name: 17, .transferEncoding, to: &events)
            } else if expectsBody {
                write("content-length: 0\r\n", name: 14, .contentLength, to: &events)
            }
        }
        events.bytes.append("\r\n")
        guard method.count > 0, isPathValid, size > 0 else {
            discard(&events.bytes)
            return nil
        }
        let head = HTTP2RequestHead(
            text: ByteRange(start: start, count: events.bytes.count - start),
            lines: firstLine < 0 ? 0..<0 : firstLine..<events.lines.count)
        close()
        return head
    }

    /// Closes a block of trailers. Returns their range in `bytes`.
    mutating func endTrailers(in bytes: borrowing ByteBuffer) -> ByteRange {
        let range = ByteRange(start: start, count: bytes.count - start)
        close()
        return range
    }

    /// Whether a request without a body needs `content-length: 0`, because its method usually has one (RFC 9110 section
    /// 8.6).
    private var expectsBody: Bool {
        switch parsedMethod {
        case .post, .put, .patch: true
        default: false
        }
    }

    private var parsedMethod: Method {
        Method(pseudoHeaders.span, at: method.lowerBound, length: Int(method.count))
    }

    /// Whether the path is in origin form, or the asterisk of OPTIONS (RFC 9113 section 8.3.1).
    private var isPathValid: Bool {
        guard path.count > 0 else { return false }
        let first = pseudoHeaders.span[path.lowerBound]
        if first == UInt8(ascii: "/") { return true }
        return first == UInt8(ascii: "*") && path.count == 1 && parsedMethod == .options
    }

    /// Writes the request line, and the Host line if there is an authority.
    private mutating func writeRequestLine(to events: inout HTTP2Events) {
        hasRequestLine = true
        events.bytes.reserve(pseudoHeaders.count + 512)
        events.bytes.append(pseudoHeaders, method)
        events.bytes.append(" ")
        events.bytes.append(pseudoHeaders, path)
        events.bytes.append(" HTTP/1.1\r\n")
        if !authority.isEmpty {
            let line = events.bytes.count
            events.bytes.append("host: ")
            events.bytes.append(pseudoHeaders, authority)
            events.bytes.append("\r\n")
            note(.host, at: line, name: 4, value: Int(authority.count), in: &events)
        }
    }

    /// The value of a content-length. nghttp2 has checked that it has only digits and fits.
    private static func number(_ digits: Span<UInt8>) -> Int64 {
        var number: Int64 = 0
        for index in digits.indices { number = number &* 10 &+ Int64(digits[index] & 15) }
        return max(0, number)
    }

    private static func write(_ name: Span<UInt8>, _ value: Span<UInt8>, to bytes: inout ByteBuffer) {
        bytes.reserve(name.count + value.count + 4)
        bytes.append(name)
        bytes.append(": ")
        bytes.append(value)
        bytes.append("\r\n")
    }
}
