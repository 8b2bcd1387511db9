import HTTP

/// Heads that a strict parser accepts.
let validHeads: [String] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nHost:\r\n\r\n",
    "GET //x HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a.example:8080 HTTP/1.0\r\n\r\n",
    "OPTIONS https://a HTTP/1.1\r\nHost: a\r\n\r\n",
    "BREW /pot?a=%20{}|\\^`<>\" HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 192.0.2.1:\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a%20b_c~d.example\r\n\r\n",
    // RFC 3986 §3.2.2: an IPv6 literal in each of its forms, and one of a version to come.
    "GET / HTTP/1.1\r\nHost: [::]\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7:8]\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::ffff:192.0.2.1]:80\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [v1.fe80::a+en1]:80\r\n\r\n",
    // RFC 9112 §3.2.1: a target without a path is "/".
    "GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a:80?x=/y?z HTTP/1.1\r\nHost: a\r\n\r\n",
    // RFC 9110 §2.5: a higher minor version is read as the highest known.
    "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.9\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    // One value, said twice.
    "GET / HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: s\r\nmcp-session-id: s\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nMCP-Protocol-Version: 2025-11-25\r\nMCP-Protocol-Version:  2025-11-25 \r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 7\r\nLast-Event-ID: 7\r\nLast-Event-ID: 7\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY: \r\nZ:\t \t\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \u{80}\u{FF}\ta b:c\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\t\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: b\r\nX-Forwarded-For: c\r\nX_Forwarded_For: d\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nCookie: b\r\nCookie: c\r\nAccept: d\r\nAccept: e\r\n\r\n",
    "GET / HTTP/1.1\r\nA-Very-Long-Field-Name-That-Nobody-Knows-1: \(String(repeating: "v", count: 200))\r\nHost: a\r\n\r\n",
]

/// Heads that must be refused, most of them because two parsers could read them in two ways.
let faultyHeads: [(String, HTTPParseError)] =
    framingFaults + lineFaults + startLineFaults + hostFaults + routingFaults

/// Request smuggling by ambiguous ends of the body.
private let framingFields: [(String, HTTPParseError)] =
    [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .malformed),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", .malformed),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", .malformed),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", .malformed),
        ("Content-Length: 5\r\ncontent-length: 5\r\n", .malformed),
        ("Content-Length: 5, 5\r\n", .malformed),
        ("Content-Length: +5\r\n", .malformed),
        ("Content-Length: -5\r\n", .malformed),
        ("Content-Length: 5 5\r\n", .malformed),
        ("Content-Length: 0x5\r\n", .malformed),
        ("Content-Length: 5a\r\n", .malformed),
        ("Content-Length: 5.0\r\n", .malformed),
        ("Content-Length:\r\n", .malformed),
        ("Content-Length: 1000000000000000000\r\n", .malformed),
        ("Content-Length: 00000000000000000005\r\n", .malformed),
        ("Content-Length: 18446744073709551621\r\n", .malformed),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .malformed),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", .malformed),
        ("Transfer-Encoding:\r\n", .malformed),
        ("Transfer-Encoding: chunked, chunked\r\n", .codingUnsupported),
        ("Transfer-Encoding: identity\r\n", .codingUnsupported),
        ("Transfer-Encoding: xchunked\r\n", .codingUnsupported),
        ("Transfer-Encoding: chunkedx\r\n", .codingUnsupported),
        ("Transfer-Encoding: gzip, chunked\r\n", .codingUnsupported),
        ("Transfer-Encoding: chunked;x=1\r\n", .codingUnsupported),
        ("Transfer-Encoding: \"chunked\"\r\n", .codingUnsupported),
        ("Transfer-Encoding: ,chunked\r\n", .codingUnsupported),
        ("Transfer-Encoding: chunked,\r\n", .codingUnsupported),
        ("Transfer-Encoding : chunked\r\n", .malformed),
        ("Transfer-Encoding\t: chunked\r\n", .malformed),
        ("Transfer-Encoding: \u{0B}chunked\r\n", .malformed),
        ("Transfer-Encoding:\n chunked\r\n", .malformed),
        ("Transfer-Encoding: chunked\r\n \r\n", .malformed),
        (" Transfer-Encoding: chunked\r\n", .malformed),
        ("Expect: 100-continues\r\n", .expectationFailed),
        ("Expect: 100-continue, x\r\n", .expectationFailed),
        ("Expect:\r\n", .expectationFailed),
    ]

private let framingFaults: [(String, HTTPParseError)] =
    framingFields.map { ("POST / HTTP/1.1\r\nHost: a\r\n\($0.0)\r\n", $0.1) } + [
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .malformed),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: identity\r\n\r\n", .malformed),
    ]

/// Ambiguous ends of lines and names.
private let brokenLines: [String] =
    [
        "X: a\nY: b\r\n", "X: a\rY: b\r\n", "X: a\r\r\n", "X: a\n\r\n", "X: a\u{0}b\r\n", "X: a\u{7F}\r\n",
        "X: \u{1}\r\n",
        "X: a\r\n folded\r\n", "X: a\r\n\tfolded\r\n", "X : a\r\n", "X\t: a\r\n", "X\u{0}: a\r\n", "X\r\n: a\r\n",
        ": a\r\n", "X\r\n", "X a\r\n", " X: a\r\n", "\tX: a\r\n", "X(: a\r\n", "X\u{80}: a\r\n", "\u{FEFF}X: a\r\n",
        "X{}: a\r\n",
        "\"X\": a\r\n", "X,Y: a\r\n", "X;Y: a\r\n", "X=Y: a\r\n", "X@: a\r\n", "X[0]: a\r\n", "X/Y: a\r\n",
        "X\\: a\r\n", "X?: a\r\n",
        "\rX: a\r\n", "\nX: a\r\n", "\u{0}\r\n",
    ]

private let lineFaults: [(String, HTTPParseError)] =
    brokenLines.map { ("GET / HTTP/1.1\r\nHost: a\r\n\($0)\r\n", .malformed) } + [
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rx", .malformed),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\nHost: a\n\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .malformed),
    ]

private let brokenStartLines: [(String, HTTPParseError)] = [
    ("GET  / HTTP/1.1", .malformed), ("GET / HTTP/1.1 ", .malformed), ("GET /  HTTP/1.1", .malformed),
    (" GET / HTTP/1.1", .malformed), ("GET\t/ HTTP/1.1", .malformed), ("GET /\tHTTP/1.1", .malformed),
    ("G(T / HTTP/1.1", .malformed), ("/ HTTP/1.1", .malformed), ("GET", .malformed), ("GET /", .malformed),
    ("GET / ", .malformed), ("GET / HTTP", .malformed), ("GET / HTTP/1.", .malformed), ("GET / HTTP/11", .malformed),
    ("GET / HTTP/1.1\r", .malformed), ("GET / HTTP/1.1x", .malformed), ("GET / http/1.1", .malformed),
    ("GET / HTTPS/1.1", .malformed), ("GET / HTTP/1,1", .malformed), ("GET / HTTP/a.b", .malformed),
    ("GET / HTTP/1.10", .malformed), ("GET / HTTP/0.9", .versionUnsupported),
    ("GET / HTTP/2.0", .versionUnsupported), ("GET / HTTP/3.1", .versionUnsupported),
    ("PRI * HTTP/2.0", .versionUnsupported), ("CONNECT a:443 HTTP/1.1", .methodUnsupported),
    ("CONNECT [::1]:443 HTTP/1.1", .methodUnsupported), ("CONNECT u@a:443 HTTP/1.1", .malformed),
    ("CONNECT / HTTP/1.1", .malformed), ("GET * HTTP/1.1", .malformed), ("OPTIONS ** HTTP/1.1", .malformed),
    ("GET a HTTP/1.1", .malformed), ("GET a:80 HTTP/1.1", .malformed), ("GET ?x HTTP/1.1", .malformed),
    ("GET /a#b HTTP/1.1", .malformed), ("GET /a\u{0}b HTTP/1.1", .malformed), ("GET /a\u{7F} HTTP/1.1", .malformed),
    ("GET /\u{E9} HTTP/1.1", .malformed), ("GET /a b HTTP/1.1", .malformed), ("GET ftp://a/ HTTP/1.1", .malformed),
    ("GET http:/// HTTP/1.1", .malformed), ("GET http:// HTTP/1.1", .malformed), ("GET https:// HTTP/1.1", .malformed),
    ("GET http:/a HTTP/1.1", .malformed), ("GET http://u@a/ HTTP/1.1", .malformed),
    ("GET http://u:p@a/ HTTP/1.1", .malformed), ("GET http://?x HTTP/1.1", .malformed),
    ("GET http://a:b/ HTTP/1.1", .malformed), ("GET http://[::1/ HTTP/1.1", .malformed),
    ("\nGET / HTTP/1.1", .malformed), ("\rGET / HTTP/1.1", .malformed), ("\r\n\r\nGET / HTTP/1.1", .malformed),
    ("\r\n\nGET / HTTP/1.1", .malformed), ("\u{16}\u{3}\u{1}\u{2}", .malformed),
]

private let startLineFaults: [(String, HTTPParseError)] =
    brokenStartLines.map { ("\($0.0)\r\nHost: a\r\n\r\n", $0.1) }

private let brokenHosts: [String] =
    [
        "", "Host:\r\n", "Host: \t\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: a@b\r\n", "Host: a?b\r\n", "Host: a#b\r\n", "Host: http://a\r\n", "Host: a:b\r\n", "Host: a:80:80\r\n",
        "Host: a:123456\r\n", "Host: :80\r\n", "Host: [::1\r\n", "Host: ::1\r\n", "Host: []\r\n", "Host: [a]b\r\n",
        "Host: [g::1]\r\n", "Host: [1.2.3.4]\r\n", "Host: [1::2::3]\r\n", "Host: [1:2:3:4:5:6:7]\r\n",
        "Host: [12345::]\r\n", "Host: [:::]\r\n", "Host: [abc]\r\n", "Host: [v.x]\r\n", "Host: [v1]\r\n",
        "Host: [v1.]\r\n",
        "Host: [vg.x]\r\n", "Host: [v1.a/b]\r\n", "Host: [fe80::1%25en1]\r\n", "Host: [::ffff:1.2.3.256]\r\n",
        "Host: [::1]:x\r\n", "Host: [\r\n", "Host: a\\b\r\n", "Host: \u{E9}\r\n", "Host: a%2\r\n",
        "Host: a%\r\n",
        "Host: a%zz\r\n", "Host: a<b\r\n", "Host: \"a\"\r\n", "Host: a, b\r\n", "Host: a|b\r\n", "Host: a^b\r\n",
        "Host: a`b\r\n",
    ]

private let hostFaults: [(String, HTTPParseError)] =
    brokenHosts.map { ("GET / HTTP/1.1\r\n\($0)\r\n", .malformed) } + [
        ("GET http://a/ HTTP/1.1\r\n\r\n", .malformed),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .malformed),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", .malformed),
        ("GET / HTTP/1.0\r\nHost:\r\nHost:\r\n\r\n", .malformed),
        ("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", .malformed),
    ]

private let routingNames: [String] =
    [
        "Mcp-Session-Id", "mcp-protocol-version", "MCP-METHOD", "Mcp-Name", "Last-Event-ID",
    ]

private let routingFaults: [(String, HTTPParseError)] =
    routingNames.map { ("GET / HTTP/1.1\r\nHost: a\r\n\($0): x\r\n\($0.lowercased()): y\r\n\r\n", .malformed) }
    + [
        ("GET / HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: x\r\nMcp-Session-Id: X\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: x\r\nMcp-Session-Id:\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nLast-Event-ID: x\r\nLast-Event-ID: x\r\nLast-Event-ID: y\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nMcp-Method: x\r\nMcp-Method: x\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nMcp-Name: x\r\nMcp-Name: x\r\n\r\n", .malformed),
        ("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n", .malformed),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close;x\r\n\r\n", .malformed),
    ]
