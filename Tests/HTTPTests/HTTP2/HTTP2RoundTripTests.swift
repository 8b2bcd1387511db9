import HTTP
import TestSupport
import Testing

@Suite("HTTP/2: requests and responses")
struct HTTP2RoundTripTests {
    @Test("a request without a body becomes an HTTP/1.1 head, and its response comes back")
    func bare() {
        let line = Line()
        let id = line.client.request("GET", "/mcp?x=1", [("accept", "text/event-stream"), ("x-custom", "a  b")])
        line.exchange()

        let head = "GET /mcp?x=1 HTTP/1.1\r\nhost: a.example\r\naccept: text/event-stream\r\nx-custom: a  b\r\n\r\n"
        #expect(line.server.takeSeen() == [.request(id, head, endsStream: true)])
        #expect(line.server.respond(id, "HTTP/1.1 204 No Content\r\nX-Thing: 1\r\n\r\n", endsStream: true))
        line.exchange()

        #expect(
            line.client.responses[id]
                == SeenResponse(head: [":status: 204", "x-thing: 1"], isComplete: true, closed: 0))
        #expect(line.server.takeSeen() == [.closed(id)])
        #expect(line.server.streams == 0)
    }

    @Test("bodies go both ways, with and without a length")
    func bodies() {
        let line = Line()
        let known = line.client.request("POST", "/mcp", [("content-length", "5")], body: latin1("hello"))
        let unknown = line.client.request("POST", "/mcp", [], body: latin1("world"))
        line.exchange()

        #expect(
            line.server.takeSeen() == [
                .request(
                    known, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ncontent-length: 5\r\n\r\n", endsStream: false),
                .request(
                    unknown, "POST /mcp HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n",
                    endsStream: false),
                .data(known, latin1("hello")), .end(known, trailers: ""),
                .data(unknown, latin1("world")), .end(unknown, trailers: ""),
            ])
        for id in [known, unknown] {
            #expect(line.server.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"))
            #expect(line.server.write(id, latin1("an")))
            #expect(line.server.write(id, latin1("sw")))
            line.server.finish(stream: id)
        }
        line.exchange()

        for id in [known, unknown] {
            let expected = SeenResponse(
                head: [":status: 200", "content-length: 4"], body: latin1("answ"), isComplete: true, closed: 0)
            #expect(line.client.responses[id] == expected)
        }
    }

    @Test("a response that is ready at once takes two frames, its end included")
    func frames() {
        let server = ServerSide()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        _ = server.send()
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        server.write(1, latin1("body"))
        server.finish(stream: 1)

        let frames = server.sendFrames()
        #expect(frames.map(\.kind) == [RawFrame.Kind.headers, RawFrame.Kind.data])
        #expect(frames.last == .data(1, latin1("body"), endsStream: true))
        #expect(server.takeSeen().last == .closed(1))
    }

    @Test("an end that comes late is an empty frame, and the events tell of room before it")
    func lateEnd() {
        let server = ServerSide()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        server.respond(1, "HTTP/1.1 200 OK\r\n\r\n")
        server.write(1, latin1("event"))
        _ = server.send()
        #expect(server.takeSeen().last == .drained(1))
        #expect(!server.wantsWrite)

        server.finish(stream: 1)
        #expect(server.wantsWrite)
        #expect(server.sendFrames() == [.data(1, [], endsStream: true)])
        #expect(server.takeSeen() == [.closed(1)])
        #expect(!server.write(1, latin1("late")))
    }

    @Test("trailers go both ways, those that would frame or route are dropped")
    func trailers() {
        let line = Line()
        let id = line.client.request(
            "POST", "/mcp", [], body: latin1("x"),
            trailers: [("x-sum", "1"), ("authorization", "stolen"), ("x-more", "2")])
        line.exchange()

        #expect(line.server.takeSeen().last == .end(id, trailers: "x-sum: 1\r\nx-more: 2\r\n"))
        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        line.server.write(id, latin1("body"))
        line.server.finish(id, trailers: "X-Late: yes\r\nTransfer-Encoding: chunked\r\n")
        line.exchange()

        let response = line.client.responses[id]
        #expect(response?.body == latin1("body"))
        #expect(response?.trailers == ["x-late: yes"])
        #expect(response?.isComplete == true)
    }

    @Test("trailers may follow no body at all, and none may follow", arguments: ["X-Late: yes\r\n", "", "junk\r\n"])
    func bareTrailers(text: String) {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        line.exchange()
        line.server.finish(id, trailers: text)
        line.exchange()

        #expect(line.client.responses[id]?.trailers == (text.hasPrefix("X") ? ["x-late: yes"] : []))
        #expect(line.client.responses[id]?.isComplete == true)
        #expect(line.client.responses[id]?.closed == 0)
    }

    @Test("interim responses come before the final one, 101 never")
    func interim() {
        let line = Line()
        let id = line.client.request("POST", "/mcp", [("expect", "100-continue")], body: [], isLast: false)
        line.exchange()
        #expect(!line.server.respond(id, "HTTP/1.1 101 Switching Protocols\r\n\r\n"))
        #expect(line.server.respond(id, "HTTP/1.1 100 Continue\r\n\r\n"))
        line.exchange()
        line.client.send(id, latin1("body"), isLast: true)
        line.exchange()
        #expect(line.server.takeSeen().suffix(2) == [.data(id, latin1("body")), .end(id, trailers: "")])
        #expect(line.server.respond(id, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
        #expect(line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true))
        #expect(!line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true), "there is one final head")
        line.exchange()

        let response = line.client.responses[id]
        #expect(response?.interim == [[":status: 100"], [":status: 103", "link: </a>"]])
        #expect(response?.head == [":status: 200"])
        #expect(response?.isComplete == true)
    }

    @Test("fields that HTTP/2 has not are left out of a response, white space around values too")
    func connectionSpecific() {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        line.server.respond(
            id,
            "HTTP/1.1 200 OK\r\nConnection: close, x\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n"
                + "Proxy-Connection: x\r\nUpgrade: h2c\r\nSet-Cookie:  a=1; Path=/ \t\r\nEmpty:\r\nVary:x\r\n\r\n",
            endsStream: true)
        line.exchange()

        #expect(
            line.client.responses[id]?.head == [":status: 200", "set-cookie: a=1; Path=/", "empty: ", "vary: x"])
    }

    @Test(
        "what is no response head is refused",
        arguments: [
            "", "HTTP/1.1 20", "HTTP/1.1  200", "HTTP/1.1 2x0 OK\r\n\r\n", "FTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 099\r\n\r\n",
        ])
    func noHead(text: String) {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        #expect(!line.server.respond(id, text))
        #expect(!line.server.wantsWrite)
        #expect(line.server.respond(id, "HTTP/1.1 200\r\n\r\n", endsStream: true))
    }

    @Test("a session's id is marked as never to be indexed")
    func secret() {
        let server = ServerSide()
        server.receive(RawFrame.preface + RawFrame.headers(1, plainGet).bytes)
        _ = server.send()
        server.respond(1, "HTTP/1.1 200 OK\r\nMcp-Session-Id: \u{1}\r\n\r\n", endsStream: true)
        // `:status: 200` from the static table; then a field with a name of 14 letters in Huffman's code.
        #expect(server.sendFrames().first?.payload.prefix(2) == [0x88, 0x10])
    }

    @Test("a response before the end of its request declines the rest")
    func early() {
        let line = Line()
        let id = line.client.request("POST", "/mcp", [], body: latin1("begin"), isLast: false)
        line.exchange()
        line.server.respond(id, "HTTP/1.1 413 Content Too Large\r\n\r\n", endsStream: true)
        line.exchange()

        #expect(line.client.responses[id]?.head == [":status: 413"])
        #expect(line.client.responses[id]?.closed == 0)
        #expect(line.server.takeSeen().last == .closed(id))
        #expect(line.server.streams == 0)
    }

    @Test("a response before the frame that ends a request, all bytes of which have come, resets nothing")
    func earlyByAFrame() {
        let line = Line()
        let id = line.client.request("POST", "/mcp", [("content-length", "5")], body: latin1("begin"), isLast: false)
        line.exchange()
        line.server.respond(id, "HTTP/1.1 202 Accepted\r\n\r\n", endsStream: true)
        line.exchange()

        #expect(line.client.responses[id]?.head == [":status: 202"])
        #expect(line.client.responses[id]?.closed == nil)
        #expect(line.server.streams == 1)
        line.client.send(id, [], isLast: true)
        line.exchange()
        #expect(line.client.responses[id]?.closed == 0)
        #expect(line.server.takeSeen().last == .closed(id))
        #expect(line.server.streams == 0)
    }

    @Test("many streams interleave, each with its own bytes")
    func many() {
        let line = Line()
        let count = 200
        let ids = (0..<count).map { line.client.request("POST", "/\($0)", [], body: latin1("request \($0)")) }
        line.exchange()
        #expect(line.server.streams == count)
        var bodies: [Int32: [UInt8]] = [:]
        for case .data(let id, let bytes) in line.server.takeSeen() { bodies[id, default: []] += bytes }
        for (index, id) in ids.enumerated() {
            #expect(bodies[id] == latin1("request \(index)"))
            line.server.respond(id, "HTTP/1.1 200 OK\r\nX-Index: \(index)\r\n\r\n")
        }
        for round in 0..<5 {
            for id in ids { line.server.write(id, latin1("\(id).\(round) ")) }
            line.exchange()
        }
        for id in ids { line.server.finish(stream: id) }
        line.exchange()

        for (index, id) in ids.enumerated() {
            let response = line.client.responses[id]
            #expect(response?.head == [":status: 200", "x-index: \(index)"])
            #expect(response?.body == (0..<5).flatMap { latin1("\(id).\($0) ") })
            #expect(response?.closed == 0)
        }
        #expect(line.server.streams == 0)
    }

    @Test("a client's cancel is told at once and leaves nothing behind")
    func cancel() {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        line.server.write(id, latin1("event"))
        line.exchange()
        line.server.write(id, latin1("unseen"))
        line.client.cancel(id)
        _ = line.server.takeSeen()
        line.server.receive(line.client.send())

        #expect(line.server.takeSeen() == [.reset(id, code: HTTP2ErrorCode.cancel.rawValue)])
        #expect(!line.server.write(id, latin1("late")))
        #expect(line.server.pendingBytes(stream: id) == 0)
        #expect(line.server.streams == 0)
        #expect(line.server.send().isEmpty)
    }

    @Test("a stream the proxy resets is reset at the client and reported no more")
    func reset() {
        let line = Line()
        let id = line.client.request("POST", "/mcp", [], body: latin1("x"), isLast: false)
        line.exchange()
        _ = line.server.takeSeen()
        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n")
        line.server.write(id, latin1("half"))
        line.server.reset(stream: id, code: .internalError)
        #expect(line.server.pendingBytes(stream: id) == 0)
        #expect(!line.server.write(id, latin1("more")))
        line.client.send(id, latin1("more"), isLast: true)
        line.exchange()

        #expect(line.client.responses[id]?.closed == HTTP2ErrorCode.internalError.rawValue)
        #expect(line.server.takeSeen().isEmpty)
        #expect(line.server.streams == 0)
        #expect(line.server.abuse.resets == 0)
    }

    @Test("GOAWAY lets open streams end and refuses new ones; then all is finished")
    func goAway() {
        let line = Line()
        let id = line.client.request()
        line.exchange()
        line.server.goAway(isFinal: false)
        line.exchange()
        #expect(line.client.goAway == 0)
        #expect(!line.server.isFinished)
        line.server.goAway(isFinal: true)
        _ = line.server.takeSeen()
        _ = line.server.send()
        line.server.receive(RawFrame.headers(99, plainGet))
        #expect(line.server.takeSeen().isEmpty)

        line.server.respond(id, "HTTP/1.1 200 OK\r\n\r\n", endsStream: true)
        line.exchange()
        #expect(line.client.responses[id]?.isComplete == true)
        #expect(line.server.isFinished)
    }

    @Test("a client's GOAWAY is reported")
    func goodbye() {
        let line = Line()
        line.client.sayGoodbye()
        line.exchange()
        #expect(line.server.takeSeen() == [.goAway])
        #expect(line.server.isFinished)
    }
}
