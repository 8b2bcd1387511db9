import HTTP
import MCP
import Reactor

/// What a request of the proxy's own has in common with the client's request for whose sake it is made: where it goes,
/// and who the client says it is.
struct RequestTemplate {
    private let target: [UInt8]
    private let authority: [UInt8]
    /// Whole field lines.
    private let fields: [UInt8]

    /// Of the parsed request at the front of `buffer`. Without `credentials`, the fields with which its client shows who it is, or
    /// from which page it asks, are left out.
    init(_ head: borrowing RequestHead, in buffer: borrowing ByteBuffer, credentials: Bool = true) {
        target = head.target.isEmpty ? [UInt8(ascii: "/")] : buffer.bytes(head.target.range)
        authority = buffer.bytes(head.authority.range)
        var lines: [UInt8] = []
        for index in 0..<head.fields.count where Self.keeps(head.fields[index], in: buffer) {
            if !credentials, CacheNames.isCallers(head.fields[index], in: buffer) { continue }
            lines += buffer.bytes(head.fields[index].line.range)
        }
        fields = lines
    }

    /// Fields of the client and of the proxies before it stay; those of its message, and of its session, do not.
    private static func keeps(_ field: Field, in buffer: borrowing ByteBuffer) -> Bool {
        if field.isHopByHop { return false }
        switch field.kind {
        case .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedClaim: return true
        case .other:
            for name in dropped where buffer.hasName(field, name) { return false }
            return true
        default: return false
        }
    }

    /// The response is read here, in no coding, and is that of another message.
    private static var dropped: [[UInt8]] {
        [
            "accept-encoding", "content-encoding", "content-language", "content-location", "content-md5", "digest",
            "content-digest", "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
            "if-range",
        ].map { Array($0.utf8) }
    }

    /// A POST of `body`, in a session if there is one. `method` is that of a message of 2026-07-28, which has a field of its own
    /// for it ("Standard request headers").
    func request(body: [UInt8], session: [UInt8]?, version: [UInt8]?, method: String? = nil) -> [UInt8] {
        var text = head("POST", session: session, version: version)
        if let method { text += Array("mcp-method: \(method)\r\n".utf8) }
        text += Array("content-type: application/json\r\naccept: application/json, text/event-stream\r\n".utf8)
        text += Array("content-length: \(body.count)\r\n\r\n".utf8)
        return text + body
    }

    /// The request that ends a session.
    func deletion(of session: [UInt8], version: [UInt8]?) -> [UInt8] {
        head("DELETE", session: session, version: version) + [13, 10]
    }

    private func head(_ method: String, session: [UInt8]?, version: [UInt8]?) -> [UInt8] {
        var text =
            Array("\(method) ".utf8) + target + Array(" HTTP/1.1\r\nhost: ".utf8) + authority + [13, 10] + fields
        if let session { text += Array("mcp-session-id: ".utf8) + session + [13, 10] }
        if let version, Self.isVersion(version) {
            text += Array("mcp-protocol-version: ".utf8) + version + [13, 10]
        }
        return text
    }

    /// Whether a server's word for its revision may stand in a field.
    private static func isVersion(_ version: [UInt8]) -> Bool {
        version.count <= 32 && !version.isEmpty
            && version.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
