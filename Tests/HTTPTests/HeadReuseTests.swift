import HTTP
import Testing

@Suite("Reused heads")
struct HeadReuseTests {
    @Test("a reused head has no values of an earlier request")
    func requests() {
        let rich = latin1(
            "POST http://b/x HTTP/1.0\r\nHost: a\r\nConnection: close\r\nAccept: text/event-stream\r\nContent-Length: 5\r\n"
                + "Mcp-Session-Id: 1\r\nMcp-Protocol-Version: 2\r\nLast-Event-ID: 3\r\nX-Forwarded-For: 4\r\n\r\n")
        let expecting = latin1(
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        let bare = latin1("GET / HTTP/1.1\r\nHost: c\r\n\r\n")
        var head = RequestHead()

        for first in [rich, expecting] {
            #expect(read(first, reusing: &head).outcome == .complete(first.count))
            #expect(read(bare, reusing: &head) == read(bare))
        }
    }

    @Test("a reused head has no values of an earlier response")
    func responses() {
        let rich = latin1(
            "HTTP/1.0 500 Oh\r\nContent-Type: text/event-stream\r\nMcp-Session-Id: 1\r\nKeep-Alive: timeout=5\r\n\r\n")
        let bare = latin1("HTTP/1.1 204\r\n\r\n")
        var head = ResponseHead()

        #expect(read(response: rich, reusing: &head).outcome == .complete(rich.count))
        #expect(read(response: bare, reusing: &head) == read(response: bare))
    }
}
