import TestSupport
import Testing

/// A request that HTTP/2 forbids, or that HTTP/1.1 would read in another way.
struct MalformedRequest: Sendable, CustomTestStringConvertible {
    /// The expected answer.
    enum Outcome: Sendable, Equatable {
        /// RST_STREAM with this code.
        case reset(UInt32)
        case status(Int)
        /// GOAWAY with this code.
        case goAway(UInt32)
        /// Any of these.
        case refusal
    }

    let name: String
    let fields: [HeaderField]
    /// The DATA frames, the last with END_STREAM. If there are none, the HEADERS frame ends the stream.
    var data: [String] = []
    var trailers: [HeaderField] = []
    var outcome = Outcome.reset(1)

    var testDescription: String { name }

    /// A request that is malformed only because of one field.
    static func field(_ name: String, _ value: String, _ outcome: Outcome = .reset(1)) -> MalformedRequest {
        MalformedRequest(
            name: "field \(name.debugDescription): \(value.debugDescription)",
            fields: HTTP2Client.head("GET", "/bad", [HeaderField(name, value)]), outcome: outcome)
    }

    static func pseudo(_ name: String, _ fields: [(String, String)], _ outcome: Outcome = .reset(1)) -> MalformedRequest
    {
        MalformedRequest(name: name, fields: fields.map { HeaderField($0.0, $0.1) }, outcome: outcome)
    }

    static func body(
        _ name: String, length: String, _ data: [String], trailers: [HeaderField] = [], _ outcome: Outcome = .reset(1)
    ) -> MalformedRequest {
        MalformedRequest(
            name: name, fields: HTTP2Client.head("POST", "/bad", [HeaderField("content-length", length)]), data: data,
            trailers: trailers, outcome: outcome)
    }

    private static let split = "x\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"

    static let fields: [MalformedRequest] = [
        field("X-Upper", "a"),
        field("Content-Length", "0"),
        field("Transfer-Encoding", "chunked"),
        field("connection", "keep-alive"),
        field("connection", "close, x-forwarded-for"),
        field("keep-alive", "5"),
        field("proxy-connection", "keep-alive"),
        field("transfer-encoding", "chunked"),
        field("transfer-encoding", "identity"),
        field("upgrade", "websocket"),
        field("te", "gzip"),
        field("te", "trailers, gzip"),
        field("host", "b"),
        field("x-a", split),
        field("x-a", "b\rc"),
        field("x-a", "b\nc"),
        field("x-a", "b\u{0}c"),
        field("x-a\r\nx-b", "c"),
        field("x-a\r\n\r\nGET /hidden HTTP/1.1", "c"),
        field("x-a: b\r\nx-c", "d"),
        field("x a", "b"),
        field("x-a:", "b"),
        field("x-a\u{0}", "b"),
        field("", "b"),
        field("cookie", "a\r\nx-b: c"),
        field("content-length", "1", .refusal),
        field("content-length", "-1", .refusal),
        field("content-length", "0x0", .refusal),
        field("content-length", "", .refusal),
        field("content-length", "99999999999999999999", .refusal),
        field("content-length", "18446744073709551616", .refusal),
        field(":path", "/late"),
        field(":late", "x"),
    ]

    static let pseudos: [MalformedRequest] = [
        pseudo("no :method", [(":scheme", "https"), (":path", "/bad"), (":authority", "a")]),
        pseudo("no :scheme", [(":method", "GET"), (":path", "/bad"), (":authority", "a")]),
        pseudo("no :path", [(":method", "GET"), (":scheme", "https"), (":authority", "a")]),
        pseudo("empty :path", [(":method", "GET"), (":scheme", "https"), (":path", ""), (":authority", "a")]),
        pseudo("nothing at all", [], .refusal),
        pseudo(
            "two :path",
            [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":path", "/b"), (":authority", "a")]),
        pseudo(
            "two :method",
            [(":method", "GET"), (":method", "POST"), (":scheme", "https"), (":path", "/bad"), (":authority", "a")]),
        pseudo(
            "two :authority",
            [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "a"), (":authority", "b")]),
        pseudo(
            "pseudo after a field",
            [(":method", "GET"), (":scheme", "https"), ("x-a", "b"), (":path", "/bad"), (":authority", "a")]),
        pseudo(
            ":status in a request",
            [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "a"), (":status", "200")]),
        pseudo(
            ":protocol without CONNECT",
            [
                (":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "a"),
                (":protocol", "websocket"),
            ]),
        pseudo(
            "upper-case pseudo", [(":METHOD", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "a")]),
        pseudo(
            "a path with a space", [(":method", "GET"), (":scheme", "https"), (":path", "/a b"), (":authority", "a")]),
        pseudo(
            "a path with a request line",
            [
                (":method", "GET"), (":scheme", "https"), (":path", "/bad HTTP/1.1\r\nx-a: b\r\n\r\nGET /hidden"),
                (":authority", "a"),
            ]),
        pseudo(
            "a path with NUL", [(":method", "GET"), (":scheme", "https"), (":path", "/a\u{0}"), (":authority", "a")]),
        pseudo(
            "a path without a slash", [(":method", "GET"), (":scheme", "https"), (":path", "bad"), (":authority", "a")]),
        pseudo(
            "an absolute path",
            [(":method", "GET"), (":scheme", "https"), (":path", "http://b/bad"), (":authority", "a")]),
        pseudo(
            "a method with a request line",
            [
                (":method", "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\nGET"), (":scheme", "https"), (":path", "/bad"),
                (":authority", "a"),
            ]),
        pseudo(
            "an empty method", [(":method", ""), (":scheme", "https"), (":path", "/bad"), (":authority", "a")], .refusal
        ),
        pseudo(
            "an authority with CRLF",
            [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "a\r\nx-b: c")]),
        pseudo(
            "user information", [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), (":authority", "u@a")],
            .refusal),
        pseudo("no authority, no host", [(":method", "GET"), (":scheme", "https"), (":path", "/bad")], .refusal),
        pseudo(
            "two hosts",
            [(":method", "GET"), (":scheme", "https"), (":path", "/bad"), ("host", "a"), ("host", "b")], .refusal),
        pseudo("CONNECT", [(":method", "CONNECT"), (":authority", "a:443")], .status(405)),
        pseudo(
            "CONNECT with a path",
            [(":method", "CONNECT"), (":scheme", "https"), (":path", "/bad"), (":authority", "a")], .refusal),
    ]

    static let bodies: [MalformedRequest] = [
        body("more DATA than Content-Length", length: "5", ["123456"]),
        body("more DATA in a second frame", length: "5", ["12345", "GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n"]),
        body("less DATA than Content-Length", length: "50", ["12345"]),
        body("DATA where none was announced", length: "0", ["GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n"]),
        body("less DATA, then trailers", length: "50", ["12345"], trailers: [HeaderField("x-a", "b")]),
        body("a length in trailers", length: "5", ["12345"], trailers: [HeaderField("content-length", "9")]),
        body("a pseudo-header field in trailers", length: "5", ["12345"], trailers: [HeaderField(":path", "/hidden")]),
        body(
            "CRLF in trailers", length: "5", ["12345"],
            trailers: [HeaderField("x-a", "b\r\n\r\nGET /hidden HTTP/1.1\r\nhost: a\r\n\r\n")]),
    ]
}
