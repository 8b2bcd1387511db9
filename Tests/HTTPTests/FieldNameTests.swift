import HTTP
import Testing

@Suite("Field names")
struct FieldNameTests {
    static let known: [(String, KnownField)] = [
        ("host", .host), ("content-length", .contentLength), ("transfer-encoding", .transferEncoding),
        ("content-type", .contentType), ("expect", .expect), ("date", .date), ("connection", .connection),
        ("keep-alive", .keepAlive), ("proxy-connection", .proxyConnection), ("te", .te), ("trailer", .trailer),
        ("upgrade", .upgrade), ("http2-settings", .http2Settings), ("forwarded", .forwarded),
        ("x-forwarded-for", .xForwardedFor), ("x-forwarded-proto", .xForwardedProto),
        ("x-forwarded-host", .xForwardedHost), ("x-real-ip", .xRealIP), ("accept", .accept),
        ("mcp-session-id", .mcpSessionID), ("mcp-protocol-version", .mcpProtocolVersion), ("mcp-method", .mcpMethod),
        ("mcp-name", .mcpName), ("last-event-id", .lastEventID), ("x-original-url", .forwardedClaim),
        ("x-original-host", .forwardedClaim), ("x-rewrite-url", .forwardedClaim), ("x-url-scheme", .forwardedClaim),
        ("front-end-https", .forwardedClaim), ("x-forwarded-port", .forwardedClaim),
        ("x-forwarded-by", .forwardedClaim), ("x-forwarded-protocol", .forwardedClaim),
        ("x-forwarded-as-anything-longer", .forwardedClaim),
    ]

    @Test("known names are recognised in any case, and no name that differs in one byte", arguments: known)
    func names(name: String, kind: KnownField) {
        #expect(kindOf(name) == kind)
        #expect(kindOf(name.uppercased()) == kind)
        #expect(kindOf(name.prefix(1).uppercased() + name.dropFirst()) == kind)
        #expect(kindOf("x" + name) == .other)
        // Whatever begins so is a claim.
        let prefix = "x-forwarded-"
        let neighbour = name.hasPrefix(prefix) ? KnownField.forwardedClaim : .other
        #expect(kindOf(name + "s") == neighbour)
        #expect(kindOf(String(name.dropLast())) == neighbour)
        let bytes = latin1(name)
        for place in bytes.indices {
            for replacement in latin1("qQ5.~`") {
                var changed = bytes
                changed[place] = replacement
                #expect(kindOf(changed) == (place < prefix.utf8.count ? .other : neighbour), "\(name), byte \(place)")
            }
        }
    }

    @Test("a known name with underscores is a look-alike", arguments: known.filter { $0.0.contains("-") })
    func lookalikes(name: String, kind: KnownField) {
        let bytes = latin1(name)
        let hyphens = bytes.indices.filter { bytes[$0] == UInt8(ascii: "-") }
        for choice in 1..<(1 << hyphens.count) {
            var changed = bytes
            for (bit, place) in hyphens.enumerated() where choice >> bit & 1 == 1 { changed[place] = UInt8(ascii: "_") }
            #expect(kindOf(changed) == .forwardedLookalike)
            let head = latin1("GET / HTTP/1.1\r\nHost: a\r\n") + changed + latin1(": 5\r\n\r\n")
            #expect(read(head).fields.last?.kind == .forwardedLookalike)
            #expect(read(head).framing == .none)
        }
        #expect(kindOf("_" + name) == .other)
    }

    @Test(
        "trailers for framing, routing, authentication or one hop are not forwarded",
        arguments: [
            "Content-Length", "Transfer-Encoding", "Host", "TE", "Trailer", "Connection", "Keep-Alive", "Upgrade",
            "Proxy-Connection", "Proxy-Authorization", "Proxy-Status", "HTTP2-Settings", "Content-Type",
            "Content-Encoding",
            "Content-Range", "Authorization", "Cookie", "Set-Cookie", "WWW-Authenticate", "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Port", "x_forwarded_port", "X-Real-IP", "Mcp-Session-Id", "mcp_anything", "Mcp-Param-X",
            "Last-Event-ID", "Accept", "Accept-Encoding", "Cache-Control", "Location", "Expect", "If-Match", "Range",
            "Date",
            "Set_Cookie", "AUTHORIZATION", "Access-Control-Allow-Origin", "Origin", "", "a b", "X:", "\u{E9}",
        ])
    func refusedTrailers(name: String) {
        #expect(!mayForward(name))
    }

    @Test(
        "other trailers are forwarded",
        arguments: [
            "Server-Timing", "Digest", "X-Checksum", "grpc-status", "ETag", "Hosts", "X-Host", "x", "Cookies", "tea",
        ])
    func forwardedTrailers(name: String) {
        #expect(mayForward(name))
    }

    private func kindOf(_ name: String) -> KnownField {
        kindOf(latin1(name))
    }

    private func kindOf(_ name: [UInt8]) -> KnownField {
        KnownField(name.span)
    }

    private func mayForward(_ name: String) -> Bool {
        let bytes = latin1(name)
        return TrailerRules.mayForward(bytes.span)
    }
}
