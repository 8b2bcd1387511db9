import HTTP
import Testing

@Suite("Request heads")
struct RequestParserTests {
    @Test("a typical request is read as it was sent")
    func typical() {
        let head =
            "POST /mcp?x=1 HTTP/1.1\r\nHost: mcp.example:8080\r\nUSER-AGENT:python\r\nContent-Length: 300 \r\n"
            + "accept:  application/json, text/event-stream\t\r\nMcp-Session-Id: 82d3\r\nMCP-Protocol-Version: 2025-11-25\r\n"
            + "Last-Event-ID: 7\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nX-Empty:\r\n\r\n"

        let reading = read(latin1(head))

        #expect(reading.outcome == .complete(head.utf8.count))
        #expect(reading.method == "POST")
        #expect(reading.target == "/mcp?x=1")
        #expect(reading.authority == "mcp.example:8080")
        #expect(reading.framing == .length(300))
        #expect(reading.isKeepAlive && !reading.expectsContinue && reading.acceptsEventStream)
        #expect(reading.sessionID == "82d3")
        #expect(reading.protocolVersion == "2025-11-25")
        #expect(reading.lastEventID == "7")
        #expect(reading.forwardedFor == "192.0.2.1")
        #expect(
            reading.fields.map(\.name) == [
                "Host", "USER-AGENT", "Content-Length", "accept", "Mcp-Session-Id", "MCP-Protocol-Version",
                "Last-Event-ID", "X-Forwarded-For", "X-Forwarded-For", "X-Empty",
            ])
        #expect(
            reading.fields.map(\.value) == [
                "mcp.example:8080", "python", "300", "application/json, text/event-stream", "82d3", "2025-11-25", "7",
                "192.0.2.1", "192.0.2.2", "",
            ])
        #expect(reading.fields[3].line == "accept:  application/json, text/event-stream\t\r\n")
        expectSameInPieces(latin1(head))
    }

    @Test("valid heads are accepted, whole and in pieces", arguments: validHeads)
    func valid(head: String) {
        let bytes = latin1(head)

        #expect(read(bytes).outcome == .complete(bytes.count))
        expectSameInPieces(bytes)
    }

    @Test("malformed heads are refused with their error, whole and in pieces", arguments: faultyHeads)
    func faulty(head: String, fault: HTTPParseError) {
        let bytes = latin1(head)

        #expect(read(bytes).outcome == .invalid(fault))
        expectSameInPieces(bytes)
    }

    @Test("only token bytes are accepted in a method or a field name")
    func tokenBytes() {
        let marks = "!#$%&'*+-.^_`|~"
        for byte in UInt8.min...UInt8.max {
            let scalar = Unicode.Scalar(byte)
            let isToken =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar
                    || marks.unicodeScalars.contains(scalar))
            // At different offsets, so that both the word-wise and the byte-wise scan meet the byte.
            for name in ["a\(scalar)", "\(scalar)bcdefghijk", "abcdefghij\(scalar)lmnopqrstuvw"] where scalar != ":" {
                let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\n\(name): v\r\n\r\n")
                #expect((read(bytes).outcome == .complete(bytes.count)) == isToken, "byte \(byte) in a name")
            }
            guard scalar != " " else { continue }
            let bytes = latin1("G\(scalar)T / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect((read(bytes).outcome == .complete(bytes.count)) == isToken, "byte \(byte) in a method")
        }
    }

    @Test("no control byte but a tab is accepted in a value; all bytes above 0x7F are")
    func valueBytes() {
        for byte in UInt8.min...UInt8.max {
            let isText = byte == 9 || (byte >= 0x20 && byte != 0x7F)
            for prefix in ["", "abc", "abcdefghijklm"] {
                let value = prefix + String(Unicode.Scalar(byte)) + "z"
                let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\nX-Test: \(value)\r\n\r\n")
                #expect((read(bytes).outcome == .complete(bytes.count)) == isText, "byte \(byte) in a value")
            }
        }
    }

    @Test("only visible ASCII without # is accepted in a target")
    func targetBytes() {
        for byte in UInt8.min...UInt8.max where byte != 0x20 {
            let isTarget = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
            for prefix in ["/", "/abcdefghijklm"] {
                let bytes = latin1("GET \(prefix)\(Unicode.Scalar(byte))z HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect((read(bytes).outcome == .complete(bytes.count)) == isTarget, "byte \(byte) in a target")
            }
        }
    }

    @Test("methods are recognised by their exact name")
    func methods() {
        let names: [(String, HTTP.Method)] = [
            ("GET", .get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete), ("OPTIONS", .options),
            ("PATCH", .patch), ("TRACE", .trace), ("get", .other), ("GE", .other), ("GETS", .other),
            ("OPTIONSS", .other), ("PROPFIND", .other), ("M-SEARCH", .other), ("P", .other),
        ]
        var head = RequestHead()
        for (name, method) in names {
            let bytes = latin1("\(name) / HTTP/1.1\r\nHost: a\r\n\r\n")
            let outcome = RequestParser(limits: HeadLimits()).parse(bytes.span, into: &head)
            let found = head.method
            #expect(outcome == .complete(bytes.count))
            #expect(found == method, "\(name)")
        }
    }

    @Test("an equal repeat of a field with one value is that value, and is not passed on")
    func repeats() {
        let reading = read(
            latin1(
                "GET / HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: s\r\nX: y\r\nMcp-Session-Id: s\r\nLast-Event-ID: 7\r\n\r\n"
            ))
        #expect(reading.sessionID == "s")
        #expect(reading.lastEventID == "7")
        #expect(
            reading.fields.filter { !$0.isHopByHop }.map(\.name) == ["Host", "Mcp-Session-Id", "X", "Last-Event-ID"])
    }

    @Test("one empty line before the head is skipped and counted")
    func leadingLine() {
        let bytes = latin1("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")

        let reading = read(bytes)

        #expect(reading.outcome == .complete(bytes.count))
        #expect(reading.method == "GET")
        expectSameInPieces(bytes)
    }

    @Test("an absolute-form target is split, and its authority replaces Host")
    func absoluteForm() {
        let reading = read(latin1("GET hTTps://[::1]:8443/a/b?c=d HTTP/1.1\r\nHost: other\r\n\r\n"))
        #expect(reading.authority == "[::1]:8443")
        #expect(reading.target == "/a/b?c=d")

        let bare = read(latin1("GET http://a.example HTTP/1.1\r\nHost: other\r\n\r\n"))
        #expect(bare.authority == "a.example")
        #expect(bare.target == "")

        let query = read(latin1("GET http://a.example:80?x=/y HTTP/1.1\r\nHost: other\r\n\r\n"))
        #expect(query.authority == "a.example:80")
        #expect(query.target == "?x=/y")
    }

    @Test(
        "persistence depends on the version and the connection options",
        arguments: [
            ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
            ("HTTP/1.1", "Connection: CLOSE\r\n", false), ("HTTP/1.1", "Connection: x, close , y\r\n", false),
            ("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false),
            ("HTTP/1.1", "Connection: keep-alive, close\r\n", false), ("HTTP/1.1", "Connection: closed\r\n", true),
            ("HTTP/1.1", "Proxy-Connection: close\r\n", true), ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\r\n", true), ("HTTP/1.0", "Connection: close, keep-alive\r\n", false),
            ("HTTP/1.0", "Proxy-Connection: keep-alive\r\n", false), ("HTTP/1.1", "Connection: ,, \t,\r\n", true),
            ("HTTP/1.1", "Connection:\r\n", true),
        ])
    func keepAlive(version: String, fields: String, isKept: Bool) {
        let bytes = latin1("GET / \(version)\r\nHost: a\r\n\(fields)\r\n")

        #expect(read(bytes).isKeepAlive == isKept)
        expectSameInPieces(bytes)
    }

    @Test("hop-by-hop fields and those that Connection names are marked, Host and Content-Length never")
    func hopByHop() {
        let head =
            "POST / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nConnection: X-ONE, upgrade, host, content-length, x-t@o\r\n"
        #expect(read(latin1(head + "\r\n")).outcome == .invalid(.malformed))

        let fields = [
            "Host: a", "X-One: 1", "x-one: again", "X-One-More: 1", "Connection: X-ONE, upgrade, host,content-length",
            "connection: mcp-name,authorization", "Mcp-Name: n", "Authorization: b", "Content-Length: 3",
            "TE: trailers",
            "Keep-Alive: 5", "Proxy-Connection: x", "Trailer: y", "Upgrade: h2c", "HTTP2-Settings: z",
            "Proxy-Authorization: q", "Proxy-Authenticate: q", "X_One: 1", "X-On\u{C5}: 1",
        ]
        let bytes = latin1("POST / HTTP/1.1\r\n" + fields.dropLast().map { $0 + "\r\n" }.joined() + "\r\n")
        let reading = read(bytes)

        #expect(reading.outcome == .complete(bytes.count))
        #expect(
            reading.fields.filter { !$0.isHopByHop }.map(\.name) == ["Host", "X-One-More", "Content-Length", "X_One"])
        #expect(reading.framing == .length(3))
        expectSameInPieces(bytes)
    }

    @Test("more than 32 connection options are refused")
    func connectionOptions() {
        let many = latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(String(repeating: "a,", count: 32))\r\n\r\n")
        let tooMany = latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(String(repeating: "a,", count: 33))\r\n\r\n")

        #expect(read(many).outcome == .complete(many.count))
        #expect(read(tooMany).outcome == .invalid(.headTooLarge))
    }

    @Test(
        "Accept lists event streams by name only",
        arguments: [
            ("text/event-stream", true), ("TEXT/Event-Stream", true), ("application/json, text/event-stream", true),
            ("application/json,text/event-stream", true), ("text/event-stream;q=0.5", true),
            ("text/event-stream ; charset=utf-8, */*", true), ("*/*", false), ("text/*", false), ("", false),
            ("text/event-streams", false), ("xtext/event-stream", false), ("text/event-strea", false),
            ("text/html;x=\"a,text/event-stream\"", false), ("text/html;x=\"a\\\",text/event-stream\"", false),
            ("text/html;x=\"a\", text/event-stream", true), (",,\t,text/event-stream", true),
            ("application/json", false),
            ("text/event-stream x", false), ("a\"", false), ("a\"\\", false),
        ])
    func accept(value: String, lists: Bool) {
        let bytes = latin1("GET / HTTP/1.1\r\nHost: a\r\nAccept: \(value)\r\nAccept: text/plain\r\n\r\n")

        #expect(read(bytes).acceptsEventStream == lists)
        #expect(read(bytes).outcome == .complete(bytes.count))
    }

    @Test("100-continue counts for HTTP/1.1 clients only")
    func expectContinue() {
        #expect(read(latin1("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n")).expectsContinue)
        #expect(!read(latin1("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")).expectsContinue)
        #expect(!read(latin1("PUT / HTTP/1.1\r\nHost: a\r\n\r\n")).expectsContinue)
    }
}
