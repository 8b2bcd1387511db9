import ASCII
import HTTP
import Kernel
import Reactor

/// The parts of responses that are not the server's. All append to `composed`.
extension ConnectionIO where Outside: ~Copyable {
    /// A whole response that the configuration has.
    mutating func append(_ answer: FixedAnswer, isHead: Bool, closes: Bool, at now: Instant) {
        composed.append("HTTP/1.1 ")
        composed.append(decimal: UInt64(answer.status))
        composed.append(0x20)
        composed.append(answer.phrase)
        composed.append("\r\n")
        composed.append(answer.lines)
        if answer.hasLength {
            composed.append("content-length: ")
            composed.append(decimal: UInt64(answer.body.count))
            composed.append("\r\n")
        }
        composed.append("server: berth\r\n")
        appendDate(at: now)
        composed.append(closes ? "connection: close\r\n\r\n" : "\r\n")
        if !isHead { composed.append(answer.body) }
    }

    /// Changes the header fields of a response of the proxy's own, all of which is in `composed`.
    mutating func editComposedHead(_ edits: ResponseFieldEdits) {
        let edited = edits.applied(to: composed)
        composed.clear()
        composed.append(edited)
    }

    /// Has lines of the server's response left out.
    mutating func dropResponseFields(_ edits: ResponseFieldEdits) {
        for index in 0..<responseHead.fields.count {
            let name = responseHead.fields[index].name.range
            guard edits.dropsName(received.span.extracting(name)) else { continue }
            responseHead.fields[index].isHopByHop = true
        }
    }

    /// Has the server's fields for pages of other origins left out.
    mutating func dropCrossOriginFields() {
        for index in 0..<responseHead.fields.count {
            let name = responseHead.fields[index].name
            guard received.span.hasIgnoringCase("access-control-", at: name.lowerBound) else { continue }
            responseHead.fields[index].isHopByHop = true
        }
    }

    /// Has the client's own word for a prefix that was stripped before left out. Returns its value if the peer is trusted.
    mutating func takeForwardedPrefix(isTrusted: Bool) -> ByteRange {
        var value = ByteRange.empty
        for index in 0..<requestHead.fields.count where !requestHead.fields[index].isHopByHop {
            guard case .forwardedClaim = requestHead.fields[index].kind,
                received.span.extracting(requestHead.fields[index].name.range).count == 18,
                received.span.hasIgnoringCase(
                    "x-forwarded-prefix", at: requestHead.fields[index].name.lowerBound)
            else { continue }
            if isTrusted { value = requestHead.fields[index].value }
            requestHead.fields[index].isHopByHop = true
        }
        return value
    }

    /// The field that says what was stripped from the path, here and, in `outer`, before.
    mutating func appendForwardedPrefix(_ prefix: StrippedPrefix, behind outer: ByteRange) {
        composed.append("x-forwarded-prefix: ")
        var end = outer.upperBound
        if !outer.isEmpty, received.span[outer.lowerBound] == UInt8(ascii: "/") {
            while end > outer.lowerBound, received.span[end - 1] == UInt8(ascii: "/") { end -= 1 }
            composed.append(received, outer.lowerBound..<end)
        }
        composed.append(prefix.bytes)
        composed.append("\r\n")
    }
}

extension ResponseFieldEdits {
    /// Whether lines of this name are left out.
    func dropsName(_ name: Span<UInt8>) -> Bool {
        if dropsCrossOrigin, name.hasIgnoringCase("access-control-", at: 0), !Self.answersPreflight(name) {
            return true
        }
        for index in dropped.indices where dropped[index].count == name.count {
            var offset = 0
            while offset < name.count, name[offset].lowercased == dropped[index][offset] { offset += 1 }
            if offset == name.count { return true }
        }
        return false
    }

    /// Whether only answers to preflights have fields of this name.
    private static func answersPreflight(_ name: Span<UInt8>) -> Bool {
        name.isFieldName("access-control-allow-methods") || name.isFieldName("access-control-allow-headers")
            || name.isFieldName("access-control-max-age")
    }

    /// A copy of a whole response with its header fields changed.
    fileprivate func applied(to response: borrowing ByteBuffer) -> ByteBuffer {
        var edited = ByteBuffer(capacity: response.count + lines.count)
        let bytes = response.span
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != 0x0a { end += 1 }
            end = min(end + 1, bytes.count)
            // The blank line is the head's end.
            if end - start <= 2 { break }
            if !drops(bytes.extracting(start..<end)) { edited.append(response, start..<end) }
            start = end
        }
        edited.append(lines)
        edited.append(response, start..<response.count)
        return edited
    }

    /// Whether a line is left out. A status line never is.
    private func drops(_ line: Span<UInt8>) -> Bool {
        var end = 0
        while end < line.count, line[end] != UInt8(ascii: ":") { end += 1 }
        return end < line.count && dropsName(line.extracting(0..<end))
    }
}
