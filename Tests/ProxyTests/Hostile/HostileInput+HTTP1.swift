extension HostileInput {
    private static let bad = "400 malformed_request, closed"
    private static let next = "GET /hidden HTTP/1.1\r\nHost: mcp.test\r\n\r\n"

    /// Start lines, hosts and targets.
    static let heads: [HostileInput] = [
        HostileInput("HTTP/0.9", "GET /\r\n", bad),
        HostileInput("a line feed before the head", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("lines that end with LF", "GET / HTTP/1.1\nHost: a\n\n", bad),
        HostileInput("two spaces in the start line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("a tab in the start line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("a NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("dot segments", "GET /mcp/../admin HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("dot segments in escapes", "GET /mcp/%2e%2e/admin HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput("dot segments behind a backslash", "GET /mcp/..\\admin HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput(
            "a target of 9,000 bytes", "GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n",
            "414 target_too_long, closed"),
        HostileInput(
            "HTTP/2.0 in a start line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 version_unsupported, closed"),
        HostileInput("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", bad),
        HostileInput(
            "CONNECT", "CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: 10.0.0.1:22\r\n\r\n", "405 method_not_allowed, closed"),
        HostileInput("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n", "405 method_not_allowed, open"),
        HostileInput("no host", "GET / HTTP/1.1\r\n\r\n", bad),
        HostileInput("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", bad),
        HostileInput("a user in the host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", bad),
        HostileInput("a path in the host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", bad),
        HostileInput(
            "an address of a cloud's metadata service as the target",
            "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: mcp.test\r\n\r\n", "200, open",
            reaches: ["GET /latest"]),
        HostileInput("a target of another scheme", "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput(
            "101 fields",
            "GET / HTTP/1.1\r\nHost: a\r\n\((0..<100).map { "X-\($0): y\r\n" }.joined())\r\n",
            "431 head_too_large, closed"),
        HostileInput(
            "a field of 70,000 bytes",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "y", count: 70_000))\r\n\r\n",
            "431 head_too_large, closed"),
        HostileInput("a head that does not end", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "408 head_timeout, closed"),
        HostileInput("a TLS hello in clear", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{FC}\u{3}\u{3}", bad),
        HostileInput("SSH", "SSH-2.0-OpenSSH_9.6\r\n", bad),
        HostileInput(
            "a header of the PROXY protocol where none is expected",
            "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", bad),
        HostileInput(
            "a second request behind a broken one", "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b\r\n\r\n",
            "200, 400 malformed_request, closed", reaches: ["GET /a"]),
    ]

    /// Where a body ends.
    static let bodies: [HostileInput] = [
        framed("both framings", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        framed("both framings, the other way round", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        framed("two lengths", "Content-Length: 5\r\nContent-Length: 6"),
        framed("two equal lengths", "Content-Length: 5\r\nContent-Length: 5"),
        framed("a list of lengths", "Content-Length: 5, 5"),
        framed("a signed length", "Content-Length: +5"),
        framed("a hexadecimal length", "Content-Length: 0x5"),
        framed("a length beyond 64 bits", "Content-Length: 18446744073709551621"),
        framed("a length before its colon", "Content-Length : 5"),
        framed("an obscured coding", "Transfer-Encoding: xchunked", "501 coding_unsupported, closed"),
        framed("two codings", "Transfer-Encoding: gzip, chunked", "501 coding_unsupported, closed"),
        framed("a coding behind a vertical tab", "Transfer-Encoding: \u{B}chunked"),
        framed("a coding on a folded line", "Transfer-Encoding:\r\n chunked"),
        framed("a coding with a space before its colon", "Transfer-Encoding : chunked"),
        framed("a coding in HTTP/1.0", "Transfer-Encoding: chunked", version: "1.0"),
        framed("a length of 900 petabytes", "Content-Length: 999999999999999999", "413 request_too_large, closed"),
        chunked("a chunk's size beyond 60 bits", "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
        chunked("a negative chunk", "-5\r\nhello\r\n0\r\n\r\n"),
        chunked("a chunk with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        chunked("a chunk's line that ends with LF", "5\nhello\r\n0\r\n\r\n"),
        chunked("a chunk without its CRLF", "5\r\nhello0\r\n\r\n"),
        chunked("a chunk that is longer than it says", "5\r\nhello!\r\n0\r\n\r\n"),
        chunked("an extension with a LF in it", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
        chunked("an extension of 300 bytes", "5;\(String(repeating: "a", count: 300))\r\nhello\r\n0\r\n\r\n"),
        chunked("a trailer that is no field", "5\r\nhello\r\n0\r\nno colon\r\n\r\n"),
        chunked("40 trailers", "5\r\nhello\r\n0\r\n\((0..<40).map { "x-\($0): y\r\n" }.joined())\r\n"),
        HostileInput(
            "trailers that would be framing, a host and a session",
            "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n"
                + "Host: b\r\nMcp-Session-Id: x\r\n\r\n", "200, open", reaches: ["POST /mcp hello"]),
        HostileInput(
            "a body that does not come", "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\nContent-Length: 5\r\n\r\nhel",
            "408 body_timeout, closed"),
        HostileInput(
            "a body in a GET, and what looks like a request in it",
            "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(next.utf8.count)\r\n\r\n\(next)", "200, open",
            reaches: ["GET /a \(next.prefix(40))"]),
        HostileInput(
            "an expectation that nobody meets",
            "POST /mcp HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\nhello",
            "417 expectation_failed, closed"),
    ]

    /// A body of which two readers might see different ends, with a request behind it.
    private static func framed(
        _ name: String, _ fields: String, _ hears: String = bad, version: String = "1.1"
    ) -> HostileInput {
        HostileInput(
            name, "POST /mcp HTTP/\(version)\r\nHost: mcp.test\r\n\(fields)\r\n\r\n0\r\n\r\n\(next)", hears)
    }

    private static func chunked(_ name: String, _ body: String) -> HostileInput {
        HostileInput(
            name, "POST /mcp HTTP/1.1\r\nHost: mcp.test\r\nTransfer-Encoding: chunked\r\n\r\n\(body)\(next)", bad)
    }

    /// Fields by which somebody might pass for somebody else.
    static let fields: [HostileInput] = [
        .get("a field with a bare CR", "X: a\rY: b\r\n", bad), .get("a field with a NUL", "X: a\0b\r\n", bad),
        .get("a folded field", "X: a\r\n b\r\n", bad), .get("a name with a space", "X : a\r\n", bad),
        .get("a name of no letters", ": a\r\n", bad), .get("a name with a byte above 0x7F", "X\u{E9}: a\r\n", bad),
        .get("two session ids", "Mcp-Session-Id: a\r\nMcp-Session-Id: b\r\n", bad),
        .get("two protocol versions", "MCP-Protocol-Version: 2025-11-25\r\nMCP-Protocol-Version: 2026-07-28\r\n", bad),
        .get("two methods", "Mcp-Method: a\r\nMcp-Method: a\r\n", bad),
        .get("two names", "Mcp-Name: a\r\nMcp-Name: b\r\n", bad),
        .get("two last events", "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n", bad),
        .get(
            "a session that is hop-by-hop", "Connection: Mcp-Session-Id\r\nMcp-Session-Id: @SESSION@\r\n", "200, open",
            reaches: ["GET /mcp session=sid1"]),
        .get("a host that is hop-by-hop", "Connection: host\r\n", "200, open", reaches: ["GET /mcp"]),
        .get("a connection option that is none", "Connection: a b\r\n", bad),
        .get(
            "an upgrade to HTTP/2 in clear",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", "200, open",
            reaches: ["GET /mcp"]),
        .get(
            "an upgrade to WebSocket", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "200, open",
            reaches: ["GET /mcp"]),
        .get("a session's name with underscores", "Mcp_Session_Id: sid1\r\n", "200, open", reaches: ["GET /mcp"]),
        .get(
            "a client's own X-Forwarded-For", "X-Forwarded-For: 127.0.0.1\r\nX_Forwarded_For: 127.0.0.1\r\n",
            "200, open",
            reaches: ["GET /mcp"]),
    ]
}
