import HTTP
import Reactor
import TestSupport
import Testing

/// A server's fields that go on as they are look to the client as if the proxy had written them as text.
@Suite("HTTP/2: forwarded fields")
struct HTTP2ForwardingTests {
    /// Heads of servers.
    private static let heads = [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-Replica: 1\r\n\r\n",
        "HTTP/1.1 200 \r\nMCP-SESSION-ID: abc\r\nServer: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nMcp-Session-Id: abc\r\nMcp-Session-Id: abc\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nConnection: x-own, close\r\nX-Own: 1\r\nX-Kept:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nUpgrade: h2c\r\nTE: trailers\r\nX-A: b \t\r\n\r\n",
        "HTTP/1.1 200 OK\r\nProxy-Authenticate: Basic\r\nTrailer: X-T\r\nHTTP2-Settings: a\r\nX-Wide : a  b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\nX-Last: \r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + (0..<60).map { "X-\($0): \($0)\r\n" }.joined() + "\r\n",
        "HTTP/1.1 200 OK\r\n" + (0..<100).map { "X-\($0): \($0)\r\n" }.joined() + "\r\n",
    ]

    @Test("the frames are those of the same head as text", arguments: heads, [true, false])
    func sameFrames(head: String, keepsSession: Bool) throws {
        for (before, after) in [
            ("", ""), ("x-first: 1\r\nset-cookie: a\r\n", ""), ("", "date: now\r\nserver: b\r\n"),
            ("a: b\r\n", "c: d\r\n"),
        ] {
            let (written, forwarded) = (ServerSessionHarness.prepared(), ServerSessionHarness.prepared())
            written.receive(.headers(1, plainGet))
            forwarded.receive(.headers(1, plainGet))
            let parsed = try #require(ParsedResponse(head))

            let text =
                "HTTP/1.1 \(parsed.status) x\r\n" + before + parsed.kept(keepsSession: keepsSession) + after + "\r\n"
            #expect(written.respond(1, text))
            #expect(
                forwarded.respond(
                    1, "HTTP/1.1 \(parsed.status) x\r\n\(before)", parsed, "\(after)\r\n", keepsSession: keepsSession))

            let frames = written.send()
            #expect(frames.count > 9)
            #expect(forwarded.send() == frames)
        }
    }

    @Test("a second final head and one for a stream that is gone are refused")
    func refused() throws {
        let server = ServerSessionHarness.prepared()
        server.receive(.headers(1, plainGet))
        let parsed = try #require(ParsedResponse("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n"))
        #expect(server.respond(1, "HTTP/1.1 200 OK\r\n", parsed, "\r\n", keepsSession: true))
        #expect(!server.respond(1, "HTTP/1.1 200 OK\r\n", parsed, "\r\n", keepsSession: true))
        #expect(!server.respond(3, "HTTP/1.1 200 OK\r\n", parsed, "\r\n", keepsSession: true))
    }
}

/// A head of a server, parsed, with its bytes.
final class ParsedResponse {
    var head = ResponseHead()
    var bytes = ByteBuffer()
    private let source: [UInt8]

    /// Nil if the parser refuses the head.
    init?(_ text: String) {
        source = latin1(text)
        bytes.append(source)
        let parser = ResponseParser(limits: HeadLimits())
        guard case .complete = parser.parse(bytes.span, answering: .get, into: &head) else { return nil }
    }

    var status: Int { Int(head.status) }

    /// The fields that go on, written anew.
    func kept(keepsSession: Bool) -> String {
        var text = ""
        for index in 0..<head.fields.count where head.fields[index].isForwardedInResponse(keepsSession: keepsSession) {
            let field = head.fields[index]
            text += "\(string(field.name)): \(string(field.value))\r\n"
        }
        return text
    }

    private func string(_ range: ByteRange) -> String {
        String(decoding: source[range.range], as: UTF8.self)
    }
}
