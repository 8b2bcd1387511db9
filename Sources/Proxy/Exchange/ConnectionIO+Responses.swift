import ASCII
import HTTP
import Kernel
import MCP
import Reactor

/// The parts of a response as the client gets it. All append to `composed`.
extension ConnectionIO where Outside: ~Copyable {
    /// The status line of the server's response.
    mutating func appendStatus() {
        composed.append("HTTP/1.1 ")
        composed.append(decimal: UInt64(responseHead.status))
        composed.append(0x20)
        composed.append(received, responseHead.reason.range)
        composed.append("\r\n")
    }

    /// The response fields that are forwarded as they are.
    mutating func appendKeptResponseFields(keepsSession: Bool) {
        if responseHead.needsRewriting {
            FieldCopier.rewrite(responseHead.fields, from: received, to: &composed) {
                $0.isForwardedInResponse(keepsSession: keepsSession)
            }
            return
        }
        FieldCopier.copy(responseHead.fields, from: received, to: &composed) {
            $0.isForwardedInResponse(keepsSession: keepsSession)
        }
    }

    /// Whether the body of the server's response is in a content coding (RFC 9110 section 8.4).
    var hasContentCoding: Bool {
        @inline(__always) get { Self.hasContentCoding(responseHead, received) }
    }

    private static func hasContentCoding(_ head: borrowing ResponseHead, _ buffer: borrowing ByteBuffer) -> Bool {
        let bytes = buffer.span
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            guard field.name.count == 16, bytes.hasIgnoringCase("content-encoding", at: field.name.range.lowerBound)
            else { continue }
            let isIdentity =
                field.value.count == 8 && bytes.hasIgnoringCase("identity", at: field.value.range.lowerBound)
            if !isIdentity { return true }
        }
        return false
    }

    /// The Date field (RFC 9110 section 6.6.1), which is written anew once a second.
    mutating func appendDate(at now: Instant) {
        if dateField.isOutdated(at: now) { dateField.update(at: now, wallSeconds: world.wallSeconds()) }
        composed.append(dateField.line)
    }

    /// A whole response of the proxy's own. `id` is the raw JSON-RPC id of the request, or empty; `lines` are more of the head.
    mutating func append(
        _ response: ErrorResponse, id: [UInt8], isHead: Bool, closes: Bool, at now: Instant, lines: [UInt8] = []
    ) {
        let body = response.body(id: (response.echoesID ? id : []).span)
        composed.append("HTTP/1.1 ")
        composed.append(decimal: UInt64(response.status))
        composed.append(0x20)
        composed.append(response.phrase)
        composed.append("\r\ncontent-type: ")
        composed.append(response.contentType)
        composed.append("\r\ncontent-length: ")
        composed.append(decimal: UInt64(body.count))
        composed.append("\r\ncache-control: no-store\r\nserver: berth\r\n")
        appendDate(at: now)
        if let seconds = response.retryAfterSeconds {
            composed.append("retry-after: ")
            composed.append(decimal: UInt64(seconds))
            composed.append("\r\n")
        }
        if !lines.isEmpty { composed.append(lines) }
        if let allow = response.allow {
            composed.append("allow: ")
            composed.append(allow)
            composed.append("\r\n")
        }
        if response.isInBand {
            composed.append("x-berth-error: ")
            composed.append(response.reason)
            composed.append("\r\n")
        }
        composed.append(closes ? "connection: close\r\n\r\n" : "\r\n")
        if !isHead { composed.append(body) }
    }
}
