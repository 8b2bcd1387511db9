import Testing

/// Bytes that a client sends, and the expected results.
struct Attack: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// Statuses that the client gets, in order.
    let statuses: [Int]
    /// "METHOD /target" of every request that a replica gets.
    let reaching: [String]

    var testDescription: String { name }

    /// A refused request. Neither it nor the valid request after it reaches a replica.
    static func refused(_ name: String, _ status: Int, _ text: String) -> Attack {
        Attack(
            name: name, bytes: Array((text + "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n").utf8), statuses: [status],
            reaching: [])
    }

    /// The same with a body of five bytes and a field.
    static func framing(_ field: String, _ status: Int = 400) -> Attack {
        refused(
            "framed by " + field.debugDescription, status,
            "POST /bad HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    /// A malformed chunked body.
    static func chunks(_ body: String) -> Attack {
        refused(
            "chunks " + body.debugDescription, 400,
            "POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)\r\n0\r\n\r\n")
    }

    /// A field that no request may have.
    static func field(_ field: String, _ status: Int = 400) -> Attack {
        refused("field " + field.debugDescription, status, "GET /bad HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
    }

    /// A malformed head.
    static func head(_ head: String, _ status: Int = 400) -> Attack {
        refused("head " + head.debugDescription, status, head)
    }

    /// Valid bytes that look like an attack: `text`, then a last request that closes.
    static func harmless(_ name: String, _ text: String, statuses: [Int] = [200, 200], reaching: [String]) -> Attack {
        Attack(
            name: name, bytes: Array((text + "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").utf8),
            statuses: statuses, reaching: reaching + ["GET /last"])
    }
}

extension Attack {
    static let framings: [Attack] = [
        framing("Content-Length: 5\r\nTransfer-Encoding: chunked"),
        framing("Transfer-Encoding: chunked\r\nContent-Length: 5"),
        framing("Content-Length: 0\r\nTransfer-Encoding: chunked"),
        framing("Content-Length: 5\r\nContent-Length: 6"),
        framing("Content-Length: 5\r\nContent-Length: 5"),
        framing("Content-Length: +5"),
        framing("Content-Length: 5,5"),
        framing("Content-Length: 5, 5"),
        framing("Content-Length:  5 5"),
        framing("Content-Length: 0x5"),
        framing("Content-Length: -1"),
        framing("Content-Length: 5.0"),
        framing("Content-Length: 5;"),
        framing("Content-Length:"),
        framing("Content-Length: \u{b}5"),
        framing("Content-Length: 99999999999999999999"),
        framing("Content-Length: 18446744073709551621"),
        framing("Content-Length: 9223372036854775808"),
        framing("Content-Length: 999999999999999999", 413),
        framing("Content-Length : 5"),
        framing("Content-Length\t: 5"),
        framing("Transfer-Encoding: chunked, identity", 501),
        framing("Transfer-Encoding: identity", 501),
        framing("Transfer-Encoding: xchunked", 501),
        framing("Transfer-Encoding: gzip, chunked", 501),
        framing("Transfer-Encoding: chunked, chunked", 501),
        framing("Transfer-Encoding: chunked;q=1", 501),
        framing("Transfer-Encoding: \"chunked\"", 501),
        framing("Transfer-Encoding: chunked,", 501),
        framing("Transfer-Encoding:"),
        framing("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        framing("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        framing("Transfer-Encoding: \u{b}chunked"),
        framing("Transfer-Encoding: chunked\u{b}"),
        framing("Transfer-Encoding: chunked\u{0}"),
        framing("Transfer-Encoding : chunked"),
        framing("Transfer-Encoding\t: chunked"),
        framing(" Transfer-Encoding: chunked"),
        framing("Transfer-Encoding:\r\n chunked"),
        framing("Transfer-Encoding: chunked\nX: y"),
        framing("X: y\nTransfer-Encoding: chunked"),
        framing("X: y\rTransfer-Encoding: chunked"),
        framing("Transfer-Encoding: chunked\r\r"),
        refused(
            "chunked in HTTP/1.0", 400,
            "POST /bad HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    static let bodies: [Attack] = [
        chunks("5x\r\nhello"), chunks("-5\r\nhello"), chunks("+5\r\nhello"), chunks(" 5\r\nhello"),
        chunks("5 \r\nhello"), chunks("0x5\r\nhello"), chunks("\r\nhello"), chunks(";\r\nhello"),
        chunks("FFFFFFFFFFFFFFFFF\r\nhello"), chunks("10000000000000005\r\nhello"), chunks("5\nhello"),
        chunks("5\r\nhelloX"), chunks("5\r\nhello\n0"), chunks("5;a\nb\r\nhello"), chunks("5;a\rb\r\nhello"),
        chunks("5;\r\nhello"), chunks("5;a=\"b\r\nhello"), chunks("5;;a\r\nhello"),
        chunks("5;a=\u{0}\r\nhello"), chunks("5;\(String(repeating: "e", count: 300))\r\nhello"),
        chunks("5\r\nhello\r\n0\r\nX: a\nb"), chunks("5\r\nhello\r\n0\r\nX : a"),
        chunks("5\r\nhello\r\n0\r\n folded: a"),
        chunks("5\r\nhello\r\n0\r\n" + String(repeating: "X: y\r\n", count: 40)),
    ]

    static let heads: [Attack] = [
        field("X: a\nY: b"), field("X: a\rY: b"), field("X: a\r\n folded"), field("X: a\r\n\tfolded"),
        field("X: a\u{0}b"), field("X: a\u{1}b"), field("X: a\u{7f}b"), field("X\u{0}: a"), field("X\u{1}: a"),
        field("X Y: a"), field("X : a"), field("X\t: a"), field(": a"), field("no colon"), field("X: a\r"),
        field("X(: a"), field("X\u{e9}: a"),
        field("Host: b"), field("host: a"),
        field("Mcp-Session-Id: a\r\nMcp-Session-Id: b"), field("Expect: 200-maybe", 417),
        head("GET /bad HTTP/1.1\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost:\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: user@a\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: a b\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: a:b\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: a?b\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: a#b\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\n Host: a\r\n\r\n"),
        head("GET http://user@a/bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET http:///bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET ftp://a/bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        head("GET /bad\r\n"),
        head("GET /bad HTTP/1.1\nHost: a\n\n"),
        head("GET /bad HTTP/1.1\r\nHost: a\n\r\n"),
        head("GET  /bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad  HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET\t/bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad\u{0} HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /b\u{1}ad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad HTTP/1.1 \r\nHost: a\r\n\r\n"),
        head("GET /bad http/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad HTTP/1.10\r\nHost: a\r\n\r\n"),
        head("GET /bad/../x HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad/%2E%2e%2fx HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("GET /bad HTTP/1.1\r\nHost: [1::2::3]\r\n\r\n"),
        head("GET /bad HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        head("\r\n\r\nGET /bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("\nGET /bad HTTP/1.1\r\nHost: a\r\n\r\n"),
        head("\u{16}\u{3}\u{1}\u{0}\u{5}hello"),
        refused(
            "TRACE with a body", 405,
            "TRACE /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    static let good: [Attack] = [
        harmless(
            "a request in a counted body",
            "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nGET /hidden HTTP/1.1\r\nHost: abcd\r\n\r\n",
            reaching: ["POST /one"]),
        harmless(
            "a request in a chunk",
            "POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n24\r\n"
                + "GET /hidden HTTP/1.1\r\nHost: abcd\r\n\r\n\r\n0\r\n\r\n",
            reaching: ["POST /one"]),
        harmless(
            "a request in a chunk extension and a trailer",
            "POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;GET /hidden HTTP/1.1\r\nx\r\n0\r\n"
                + "X-GET: /hidden HTTP/1.1\r\n\r\n",
            reaching: ["POST /one"]),
        harmless(
            "a length with spaces around it",
            "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: \t 5 \t\r\n\r\nhello", reaching: ["POST /one"]),
        harmless(
            "chunked in capitals after a tab",
            "POST /one HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING:\tChunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            reaching: ["POST /one"]),
        harmless(
            "a length on a GET", "GET /one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            reaching: ["GET /one"]),
        harmless(
            "a chunk extension behind white space",
            "POST /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 ;a=\"b;c\"\r\nhello\r\n0\r\n\r\n",
            reaching: ["POST /one"]),
        harmless("a minor version to come", "GET /one HTTP/1.2\r\nHost: a\r\n\r\n", reaching: ["GET /one"]),
        harmless(
            "a query right behind an authority", "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n", reaching: ["GET /?x"]),
        harmless("one blank line in front", "\r\nGET /one HTTP/1.1\r\nHost: a\r\n\r\n", reaching: ["GET /one"]),
        harmless(
            "lengths with underscores",
            "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent_Length: 40\r\n"
                + "Transfer_Encoding: chunked\r\n\r\nhello",
            reaching: ["POST /one"]),
        harmless(
            "TRACE", "TRACE /one HTTP/1.1\r\nHost: a\r\n\r\n", statuses: [405, 200], reaching: []),
        harmless(
            "a method in lower case", "get /one HTTP/1.1\r\nHost: a\r\n\r\n", statuses: [405, 200], reaching: []),
        harmless(
            "OPTIONS of everything", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", reaching: ["OPTIONS *"]),
        harmless(
            "a session that does not exist",
            "POST /one HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: forged\r\nContent-Length: 2\r\n\r\n{}",
            statuses: [404, 200], reaching: []),
        harmless(
            "an upgrade to HTTP/2 in clear",
            "GET /one HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
            reaching: ["GET /one"]),
    ]
}
