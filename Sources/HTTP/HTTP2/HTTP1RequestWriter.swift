import ASCII
import Reactor

/// The header block that is being received, as it becomes HTTP/1.1 text at the end of a buffer. There is never more
/// than one: no other frame may come between the frames of a block (RFC 9113 section 4.3).
///
/// nghttp2 has checked names, values, pseudo-header fields and their order before they come here (RFC 9113 sections
/// 8.2 and 8.3). What is decided here is what HTTP/1.1 would read in another way.
struct HTTP1RequestWriter: ~Copyable {
    /// What has become of the block.
    enum Verdict {
        case good
        case malformed
        /// Beyond the limits, so far that it is not worth an answer.
        case flood
    }

    /// The stream whose block is open; 0 if none is.
    private(set) var stream: Int32 = 0
    /// Beyond the limits: nothing more was written, and the text is of no use.
    private(set) var isTooLarge = false
    private(set) var isConnect = false

    /// What the request's content-length says; negative if it has none.
    private(set) var length: Int64 = -1

    private var isTrailers = false
    /// Its text is in `saved`, not in the buffer.
    private var isSuspended = false
    private var hasStartLine = false
    /// Where in the buffer the text begins.
    private var start = 0
    private var fields = 0
    private var size = 0
    /// Pseudo-header values, in any order, until the start line can be written.
    private var pseudo = ByteBuffer()
    private var method = ByteRange.empty
    private var path = ByteRange.empty
    private var authority = ByteRange.empty
    /// Crumbs joined to one value (RFC 9113 section 8.2.3).
    private var cookie = ByteBuffer()
    /// The text so far, between two calls.
    private var saved = ByteBuffer()

    var isOpen: Bool { stream != 0 }

    mutating func begin(stream: Int32, isTrailers: Bool, at start: Int) {
        self.stream = stream
        self.isTrailers = isTrailers
        self.start = start
        isSuspended = false
        isTooLarge = false
        isConnect = false
        hasStartLine = false
        length = -1
        fields = 0
        size = 0
        pseudo.clear()
        method = .empty
        path = .empty
        authority = .empty
        cookie.clear()
    }

    /// Takes the text out of `bytes`: they will not be there when more of the block comes.
    mutating func suspend(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        saved.append(bytes, start..<bytes.count)
        bytes.truncate(to: start)
        isSuspended = true
    }

    mutating func resume(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        start = bytes.count
        bytes.take(&saved)
        isSuspended = false
    }

    /// Forgets the block and its text.
    mutating func abandon(_ bytes: inout ByteBuffer) {
        guard isOpen else { return }
        // A stream may close while frames are sent, its block unfinished: the text is not in `bytes` then.
        if isSuspended { saved.clear() } else { bytes.truncate(to: start) }
        close()
    }

    private mutating func close() {
        stream = 0
        isSuspended = false
        if pseudo.allocated > Self.keptBytes { pseudo.release() }
        cookie.release()
    }

    private static var keptBytes: Int { 1_024 }

    /// Takes one field of the block. After any verdict but `good` it must be abandoned.
    mutating func add(
        name: Span<UInt8>, value: Span<UInt8>, to bytes: inout ByteBuffer, limits: HTTP2Limits
    ) -> Verdict {
        let isPseudo = !name.isEmpty && name[0] == UInt8(ascii: ":")
        size += name.count + value.count + 4
        if !isPseudo { fields += 1 }
        if size > limits.headerListBytes || fields > limits.fields {
            isTooLarge = true
            let isFlood = size > limits.headerListBytes * limits.excess || fields > limits.fields * limits.excess
            return isFlood ? .flood : .good
        }
        if isPseudo { return addPseudo(name, value) }
        if isTrailers {
            if TrailerRules.mayForward(name) { Self.write(name, value, to: &bytes) }
            return .good
        }
        if !hasStartLine { writeStart(to: &bytes) }
        return addField(name, value, to: &bytes)
    }

    private mutating func addPseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Verdict {
        let range = ByteRange(start: pseudo.count, count: value.count)
        // Of the five there are, `:status` and `:protocol` were refused before and `:scheme` means nothing here.
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
        default:
            return .good
        }
        pseudo.append(value)
        return .good
    }

    private mutating func addField(
        _ name: Span<UInt8>, _ value: Span<UInt8>, to bytes: inout ByteBuffer
    ) -> Verdict {
        switch FieldName(name, at: 0, length: name.count, hasUnderscore: false).kind {
        case .host where !authority.isEmpty:
            // The line is there already. Two opinions on the host are one too many (RFC 9113 section 8.3.1).
            return pseudo.span.extracting(authority.range).equalsIgnoringCase(value) ? .good : .malformed
        case .te, .http2Settings:
            // Said to us alone; that trailers are understood is what HTTP/1.1 takes for granted of a chunked body.
            return .good
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            return .malformed
        case .contentLength:
            length = Self.number(value)
        case .other where name.count == 6:
            if LowercasedASCII(name, at: 0, length: 6).equals("cookie  ", length: 6) {
                if !cookie.isEmpty { cookie.append("; ") }
                cookie.append(value)
                return .good
            }
        default:
            break
        }
        Self.write(name, value, to: &bytes)
        return .good
    }

    /// Completes a request's text: the head's place in `bytes`, or nil if it makes no request.
    mutating func endRequest(endsStream: Bool, in bytes: inout ByteBuffer) -> ByteRange? {
        if !hasStartLine { writeStart(to: &bytes) }
        if !cookie.isEmpty {
            bytes.append("cookie: ")
            bytes.append(cookie)
            bytes.append("\r\n")
        }
        if length < 0 {
            if !endsStream {
                bytes.append("transfer-encoding: chunked\r\n")
            } else if expectsBody {
                bytes.append("content-length: 0\r\n")
            }
        }
        bytes.append("\r\n")
        guard method.count > 0, isPathValid, size > 0 else {
            abandon(&bytes)
            return nil
        }
        let head = ByteRange(start: start, count: bytes.count - start)
        close()
        return head
    }

    /// Completes trailers: their place in `bytes`.
    mutating func endTrailers(in bytes: borrowing ByteBuffer) -> ByteRange {
        let range = ByteRange(start: start, count: bytes.count - start)
        close()
        return range
    }

    /// Methods that a body is expected of say so when there is none (RFC 9110 section 8.6).
    private var expectsBody: Bool {
        switch parsedMethod {
        case .post, .put, .patch: true
        default: false
        }
    }

    private var parsedMethod: Method {
        Method(pseudo.span, at: method.lowerBound, length: Int(method.count))
    }

    /// Origin form, or the asterisk of OPTIONS (RFC 9113 section 8.3.1).
    private var isPathValid: Bool {
        guard path.count > 0 else { return false }
        let first = pseudo.span[path.lowerBound]
        if first == UInt8(ascii: "/") { return true }
        return first == UInt8(ascii: "*") && path.count == 1 && parsedMethod == .options
    }

    private mutating func writeStart(to bytes: inout ByteBuffer) {
        hasStartLine = true
        bytes.reserve(pseudo.count + 512)
        bytes.append(pseudo, method)
        bytes.append(" ")
        bytes.append(pseudo, path)
        bytes.append(" HTTP/1.1\r\n")
        if !authority.isEmpty {
            bytes.append("host: ")
            bytes.append(pseudo, authority)
            bytes.append("\r\n")
        }
    }

    /// A number in digits, which nghttp2 has seen to it that it is, and that it fits.
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
