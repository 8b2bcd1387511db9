import HTTP
import Testing

/// A response head and its expected reading.
struct ResponseCase: CustomTestStringConvertible {
    var head: String
    var method = HTTP.Method.get
    var framing = BodyFraming.none
    var isKeepAlive = true

    var testDescription: String { "\(method): \(head.debugDescription)" }
}

let responseTable: [ResponseCase] = [
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", framing: .length(5)),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", framing: .length(0)),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n", framing: .chunked),
    ResponseCase(head: "HTTP/1.1 200 OK\r\n\r\n", framing: .untilClose, isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 200 \r\n\r\n", framing: .untilClose, isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", framing: .length(1)),
    ResponseCase(head: "HTTP/1.1 599 \u{E9}\tx y\r\nContent-Length: 1\r\n\r\n", framing: .length(1)),
    ResponseCase(
        head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", framing: .length(5),
        isKeepAlive: false),
    ResponseCase(head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", framing: .length(5), isKeepAlive: false),
    ResponseCase(
        head: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", framing: .length(5)),
    ResponseCase(
        head: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", framing: .untilClose, isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: .head),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", method: .head),
    ResponseCase(head: "HTTP/1.1 200 OK\r\n\r\n", method: .head),
    ResponseCase(head: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 204 No Content\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 100 Continue\r\n\r\n"),
    // RFC 9112 §6.3: 1xx, 204 and 304 end at the blank line, whatever their fields say.
    ResponseCase(head: "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 204 No\r\nContent-Length: x\r\nTransfer-Encoding: gzip\r\n\r\n", isKeepAlive: false),
    ResponseCase(head: "HTTP/1.1 304 No\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 304 No\r\nContent-Length: x\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 304 No\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 100 Go\r\nContent-Length: 5\r\n\r\n", isKeepAlive: false),
    // RFC 9110 §8.6: equal values of Content-Length are one.
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", framing: .length(5)),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 5, 5 ,5\r\n\r\n", framing: .length(5)),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nContent-Length: 5,5\r\nContent-Length: 5\r\n\r\n", framing: .length(5)),
    // RFC 9112 §5.1: white space before the colon is removed.
    ResponseCase(head: "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length\t : 5\r\n\r\n", framing: .length(5)),
    ResponseCase(head: "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n", framing: .chunked),
    // RFC 9110 §2.5: a higher minor version is read as the highest known.
    ResponseCase(head: "HTTP/1.2 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", framing: .chunked),
    ResponseCase(head: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    ResponseCase(head: "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", framing: .length(0)),
    ResponseCase(head: "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", method: .delete, framing: .length(5)),
]

@Suite("Response heads")
struct ResponseParserTests {
    @Test("the body's framing follows RFC 9112, whole and in pieces", arguments: responseTable)
    func framing(expected: ResponseCase) {
        let bytes = latin1(expected.head)

        let reading = read(response: bytes, answering: expected.method)

        #expect(reading.outcome == .complete(bytes.count))
        #expect(reading.framing == expected.framing)
        #expect(reading.isKeepAlive == expected.isKeepAlive)
        expectSameInPieces(response: bytes, answering: expected.method)
    }

    @Test(
        "malformed heads are refused with their error, whole and in pieces",
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HTTPParseError.malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: ,5\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5 5\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .codingUnsupported),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", .malformed),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .malformed),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\n\r\n", .malformed),
            ("HTTP/1.1 099 OK\r\n\r\n", .malformed), ("HTTP/1.1 600 OK\r\n\r\n", .malformed),
            ("HTTP/1.1 20 OK\r\n\r\n", .malformed), ("HTTP/1.1 2000 OK\r\n\r\n", .malformed),
            ("HTTP/1.1 +20 OK\r\n\r\n", .malformed), ("HTTP/1.1  200 OK\r\n\r\n", .malformed),
            ("HTTP/1.1 200OK\r\n\r\n", .malformed), ("HTTP/1.1\t200 OK\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\n\r\n", .malformed), ("HTTP/1.1 200 O\u{0}K\r\n\r\n", .malformed),
            ("HTTP/1.1 200 O\rK\r\n\r\n", .malformed), ("HTTP/1.1 200\n\n", .malformed),
            ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", .malformed), ("HTTP/1.1 200 OK\r\nX y: a\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\n : a\r\n\r\n", .malformed), ("HTTP/1.1 200 OK\r\nX \r\n: a\r\n\r\n", .malformed),
            ("HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n", .malformed), ("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformed),
            ("HTTP/1.1\r\n\r\n", .malformed), ("ICY 200 OK\r\n\r\n", .malformed), ("<html>", .malformed),
            ("HTTP/2.0 200 OK\r\n\r\n", .versionUnsupported),
            ("HTTP/0.9 200 OK\r\n\r\n", .versionUnsupported),
        ])
    func faulty(head: String, fault: HTTPParseError) {
        let bytes = latin1(head)

        #expect(read(response: bytes).outcome == .invalid(fault))
        expectSameInPieces(response: bytes, answering: .get)
    }

    @Test("the fields that a proxy acts on are recognised")
    func facts() {
        let reading = read(
            response: latin1(
                "HTTP/1.1 200 Fine\r\nConnection: keep-alive, x-gone\r\nKeep-Alive: max=9 , Timeout=75\r\nX-Gone: 1\r\n"
                    + "Content-Type: Text/Event-Stream; charset=utf-8\r\nmcp-session-id: 82d3\r\nProxy-Authenticate: Basic\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"), answering: .post)

        #expect(reading.status == 200)
        #expect(reading.reason == "Fine")
        #expect(reading.framing == .chunked)
        #expect(reading.isEventStream)
        #expect(reading.sessionID == "82d3")
        #expect(reading.keepAliveSeconds == 75)
        #expect(reading.fields.filter { !$0.isHopByHop }.map(\.name) == ["Content-Type", "mcp-session-id"])
    }

    @Test(
        "the timeout of a Keep-Alive field is read",
        arguments: [
            ("timeout=5", 5), ("timeout=5, max=100", 5), ("max=1,timeout=12", 12), ("TIMEOUT=7", 7), ("timeout=", nil),
            ("timeout=x", nil), ("timeout=-1", nil), ("xtimeout=5", nil), ("max=5", nil), ("", nil), (",,", nil),
            ("timeout=99999999999", UInt32.max), ("timeout=9999999999999999999", nil), ("5", nil),
        ])
    func keepAliveTimeout(value: String, seconds: UInt32?) {
        let bytes = latin1("HTTP/1.1 200 OK\r\nKeep-Alive: \(value)\r\nContent-Length: 0\r\n\r\n")

        #expect(read(response: bytes).keepAliveSeconds == seconds)
        #expect(read(response: bytes).outcome == .complete(bytes.count))
    }

    @Test(
        "event streams are recognised by their media type",
        arguments: [
            ("text/event-stream", true), ("TEXT/EVENT-STREAM", true), ("text/event-stream;charset=utf-8", true),
            ("text/event-stream ; x", true), ("text/event-streams", false), ("text/event-strea", false),
            ("application/json", false), ("application/json; x=text/event-stream", false), ("", false),
            ("text/event-stream, text/html", false),
        ])
    func eventStream(type: String, isStream: Bool) {
        #expect(read(response: latin1("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\n\r\n")).isEventStream == isStream)
    }
}
