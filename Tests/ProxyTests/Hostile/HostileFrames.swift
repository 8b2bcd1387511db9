import Kernel
import Simulation
import TestSupport
import Testing

/// Frames of a hostile HTTP/2 client (RFC 9113), behind a preface and an empty SETTINGS.
struct HostileFrames: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// Of each stream its status, or the code by which it was reset; the code of GOAWAY; `closed` or `open`.
    let hears: String
    let reaches: [String]

    var testDescription: String { name }

    init(_ name: String, _ frames: [[UInt8]], _ hears: String, reaches: [String] = []) {
        self.name = name
        bytes = frames.flatMap { $0 }
        self.hears = hears
        self.reaches = reaches
    }

    static func fields(_ method: String = "GET", _ path: String = "/mcp", _ more: [(String, String)] = []) -> [UInt8] {
        HeaderBlock.encode(
            [
                HeaderField(":method", method), HeaderField(":scheme", "http"), HeaderField(":authority", "mcp.test"),
                HeaderField(":path", path),
            ] + more.map { HeaderField($0.0, $0.1) })
    }

    static func head(
        _ stream: UInt32 = 1, _ more: [(String, String)] = [], method: String = "GET", ends: Bool = true
    ) -> [UInt8] {
        HTTP2Frame.head(fields(method, "/mcp", more), stream: stream, ends: ends)
    }

    static func block(_ fields: [(String, String)]) -> [UInt8] {
        HTTP2Frame.head(HeaderBlock.encode(fields.map { HeaderField($0.0, $0.1) }), stream: 1, ends: true)
    }

    static func data(_ stream: UInt32, _ text: String, ends: Bool = true) -> [UInt8] {
        HTTP2Frame.make(.data, flags: ends ? 1 : 0, stream: stream, Array(text.utf8))
    }

    /// What a client hears of the bytes that came, told as `hears` is.
    static func told(_ received: [UInt8], isOver: Bool) -> String {
        var reader = HTTP2FrameReader()
        let decoder = HeaderBlockReader()
        var streams: [UInt32: String] = [:]
        var ends: [String] = []
        for frame in reader.read(received) {
            switch HTTP2Frame.Kind(rawValue: frame.kind) {
            case .headers:
                let fields = (try? decoder.decode(frame.payload)) ?? []
                streams[frame.stream] = fields.first { $0.name == ":status" }?.value ?? "?"
            case .reset where streams[frame.stream] == nil: streams[frame.stream] = "reset \(frame.number)"
            case .goAway: ends = ["goaway \(HTTP2Frame.number(frame.payload.dropFirst(4)))"]
            default: break
            }
        }
        let answers = streams.keys.sorted().map { "\($0): \(streams[$0] ?? "")" }
        return (answers + ends + [isOver ? "closed" : "open"]).joined(separator: ", ")
    }
}

extension HostileFrames {
    private static let protocolError = "goaway 1, closed"
    private static let malformed = "1: reset 1, open"
    private static let fine = "1: 200, open"

    static let all: [HostileFrames] = requests + connections

    private static let requests: [HostileFrames] = [
        HostileFrames("h2: a field in capitals", [head(1, [("X-Upper", "a")])], malformed),
        HostileFrames("h2: a connection field", [head(1, [("connection", "close")])], malformed),
        HostileFrames("h2: a coding", [head(1, [("transfer-encoding", "chunked")])], malformed),
        HostileFrames("h2: te of something else", [head(1, [("te", "gzip")])], malformed),
        HostileFrames("h2: an upgrade", [head(1, [("upgrade", "h2c")])], malformed),
        HostileFrames("h2: a line end in a value", [head(1, [("x", "a\r\nMcp-Session-Id: b")])], malformed),
        HostileFrames("h2: a NUL in a value", [head(1, [("x", "a\0b")])], malformed),
        HostileFrames("h2: a colon in a name", [head(1, [("x: y", "a")])], malformed),
        HostileFrames(
            "h2: a space in a path",
            [HTTP2Frame.head(fields("GET", "/a HTTP/1.1\r\nHost: b"), stream: 1, ends: true)], malformed),
        HostileFrames(
            "h2: a method with a space", [HTTP2Frame.head(fields("GET /x", "/a"), stream: 1, ends: true)], malformed),
        HostileFrames(
            "h2: dot segments", [HTTP2Frame.head(fields("GET", "/mcp/../admin"), stream: 1, ends: true)], "1: 400, open"
        ),
        HostileFrames(
            "h2: no path", [block([(":method", "GET"), (":scheme", "http"), (":authority", "a")])], malformed),
        HostileFrames("h2: no method", [block([(":path", "/"), (":scheme", "http"), (":authority", "a")])], malformed),
        HostileFrames(
            "h2: two paths",
            [block([(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/a"), (":path", "/b")])],
            malformed),
        HostileFrames(
            "h2: a pseudo-field behind a field",
            [block([(":method", "GET"), (":scheme", "http"), ("x", "y"), (":authority", "a"), (":path", "/")])],
            malformed),
        HostileFrames(
            "h2: a status in a request",
            [
                block([
                    (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"), (":status", "200"),
                ])
            ],
            malformed),
        HostileFrames("h2: a host that is not the authority", [head(1, [("host", "other.test")])], malformed),
        HostileFrames(
            "h2: two session ids", [head(1, [("mcp-session-id", "a"), ("mcp-session-id", "b")])], "1: 400, open"),
        HostileFrames(
            "h2: two lengths", [head(1, [("content-length", "2"), ("content-length", "3")], method: "POST")], malformed),
        HostileFrames(
            "h2: less than it says",
            [head(1, [("content-length", "5")], method: "POST", ends: false), data(1, "hel")], malformed),
        HostileFrames(
            "h2: more than it says",
            [head(1, [("content-length", "5")], method: "POST", ends: false), data(1, "hello!")], malformed),
        HostileFrames("h2: CONNECT", [block([(":method", "CONNECT"), (":authority", "10.0.0.1:22")])], "1: 405, open"),
        HostileFrames(
            "h2: a WebSocket over CONNECT",
            [
                block([
                    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":authority", "a"),
                    (":path", "/"),
                ])
            ],
            malformed),
        HostileFrames("h2: 101 fields", [head(1, (0..<101).map { ("x-\($0)", "y") })], "1: 431, open"),
        HostileFrames("h2: a session that was made up", [head(1, [("mcp-session-id", "b1.x")])], "1: 404, open"),
        HostileFrames(
            "h2: a field that was named with underscores", [head(1, [("mcp_session_id", "sid1")])], fine,
            reaches: ["GET /mcp"]),
        HostileFrames(
            "h2: a trailer that is a pseudo-field",
            [head(1, method: "POST", ends: false), data(1, "{}", ends: false), block([(":path", "/x")])], malformed),
    ]

    private static let connections: [HostileFrames] = [
        HostileFrames("h2: data on stream 0", [data(0, "a")], protocolError),
        HostileFrames("h2: an even stream", [head(2)], protocolError),
        HostileFrames("h2: a stream below an earlier one", [head(5), head(3)], protocolError),
        HostileFrames(
            "h2: a window that overflows",
            [HTTP2Frame.make(.windowUpdate, stream: 0, HTTP2Frame.bytes(0x7fff_ffff))], "goaway 3, closed"),
        HostileFrames(
            "h2: a window opened by nothing",
            [HTTP2Frame.make(.windowUpdate, stream: 0, HTTP2Frame.bytes(0))], protocolError),
        HostileFrames(
            "h2: SETTINGS of five bytes", [HTTP2Frame.make(.settings, stream: 0, [0, 1, 0, 0, 0])], "goaway 6, closed"),
        HostileFrames("h2: SETTINGS on a stream", [HTTP2Frame.make(.settings, stream: 1)], protocolError),
        HostileFrames(
            "h2: a PING of seven bytes",
            [HTTP2Frame.make(.ping, stream: 0, [UInt8](repeating: 0, count: 7))], "goaway 6, closed"),
        HostileFrames(
            "h2: a promise of a client", [HTTP2Frame.make(.pushPromise, flags: 4, stream: 1, HTTP2Frame.bytes(2))],
            protocolError),
        HostileFrames(
            "h2: CONTINUATION without HEADERS", [HTTP2Frame.make(.continuation, flags: 4, stream: 1)], protocolError),
        HostileFrames(
            "h2: a frame within a header block",
            [
                HTTP2Frame.make(.headers, stream: 1, fields()),
                HTTP2Frame.make(.ping, stream: 0, [UInt8](repeating: 0, count: 8)),
            ],
            protocolError),
        HostileFrames(
            "h2: a header block that is none", [HTTP2Frame.make(.headers, flags: 5, stream: 1, [0xff, 0xff, 0xff])],
            "goaway 9, closed"),
        HostileFrames(
            "h2: a frame of 17,000 bytes",
            [head(1, method: "POST", ends: false), data(1, String(repeating: "a", count: 17_000))], "goaway 6, closed"),
        HostileFrames(
            "h2: 1,000 CONTINUATION frames",
            [HTTP2Frame.make(.headers, stream: 1, fields())]
                + (0..<1_000).map { _ in HTTP2Frame.make(.continuation, stream: 1) },
            "goaway 11, closed"),
        HostileFrames(
            "h2: 2,000 streams that are opened and reset",
            (0..<2_000).flatMap {
                [
                    head($0 * 2 + 1, [("content-length", "5")], method: "POST", ends: false),
                    HTTP2Frame.make(.reset, stream: $0 * 2 + 1, HTTP2Frame.bytes(8)),
                ]
            },
            "goaway 11, closed"),
        HostileFrames(
            "h2: 2,000 PINGs",
            (0..<2_000).map { _ in HTTP2Frame.make(.ping, stream: 0, [UInt8](repeating: 0, count: 8)) },
            "goaway 11, closed"),
        HostileFrames(
            "h2: 2,000 SETTINGS", (0..<2_000).map { _ in HTTP2Frame.make(.settings, stream: 0) }, "goaway 11, closed"),
        HostileFrames(
            "h2: 2,000 empty frames of data",
            [head(1, method: "POST", ends: false)] + (0..<2_000).map { _ in data(1, "", ends: false) },
            "goaway 11, closed"),
    ]
}
