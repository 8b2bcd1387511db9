import Foundation
import Kernel
import Reactor
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// What Berth says itself, and what it adds to what servers say.
@Suite("Berth's own answers")
struct OwnAnswerTests {
    /// IMF-fixdate (RFC 9110 section 5.6.7).
    private static func seconds(_ text: String?) -> Double? {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let text, let date = format.date(from: text), format.string(from: date) == text else { return nil }
        return date.timeIntervalSince1970
    }

    @Test("a response without a date gets one, and one with a date keeps it (RFC 9110 section 6.6.1)")
    func date() throws {
        let stage = ProxyStage(seed: 1)
        let dated = "Tue, 15 Nov 1994 08:12:31 GMT"
        let server = ScriptedServer(stage) {
            $0.target == "/dated" ? .reply("ok", extra: "Date: \(dated)\r\n") : .reply("ok")
        }
        let client = stage.connect()
        client.ask(.get("/dated"))
        client.ask(.get("/undated"))
        #expect(stage.run { client.responses.count == 2 })
        stage.run(for: .seconds(10))
        client.ask(.get("/later"))
        client.ask("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(stage.run { client.responses.count == 4 })
        #expect(client.responses.map { $0.all("date").count } == [1, 1, 1, 1])
        #expect(client.responses[0]["date"] == dated)
        let first = try #require(Self.seconds(client.responses[1]["date"]))
        let second = try #require(Self.seconds(client.responses[2]["date"]))
        #expect((10...12).contains(second - first))
        #expect(Self.seconds(client.responses[3]["date"]) != nil)
        #expect(server.requests.count == 3)
        client.leave()
    }

    @Test("dates are those of the calendar")
    func calendar() throws {
        for seconds in [
            0, 951_782_399, 951_868_799, 951_868_800, 1_709_164_800, 1_735_689_599, 4_107_542_400, UInt32.max,
        ] {
            var field = DateField()
            field.update(at: Instant(nanoseconds: 0), wallSeconds: seconds)
            let line = String(decoding: field.line.bytes(0..<field.line.count), as: UTF8.self)
            #expect(line.hasPrefix("date: ") && line.hasSuffix("\r\n"))
            #expect(Self.seconds(String(line.dropFirst(6).dropLast())) == Double(seconds), "\(line)")
        }
    }

    @Test(
        "OPTIONS * goes out as *, however it was said (RFC 9112 section 3.2.4)",
        arguments: ["*", "http://h", "http://h:80"])
    func asterisk(target: String) {
        let stage = ProxyStage(seed: 1)
        let server = ScriptedServer(stage) { .reply($0.target) }
        let client = stage.connect()
        client.ask("OPTIONS \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
        client.ask("OPTIONS http://h/ HTTP/1.1\r\nHost: h\r\n\r\n")
        client.ask("OPTIONS http://h?x HTTP/1.1\r\nHost: h\r\n\r\n")
        client.ask("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n")
        client.ask("GET http://h?x=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(stage.run { client.responses.count == 5 })
        #expect(client.responses.map(\.text) == ["*", "/", "/?x", "/", "/?x=1"])
        #expect(server.requests.count == 5)
        client.leave()
    }

    @Test("the id of a chunked or HTTP/2 body is echoed, and the answer says whose it is")
    func echoedID() {
        let stage = ProxyStage(seed: 1)
        stage.network.refuse(at: ProxyStage.server(0))
        let body = String.call(17)
        let client = stage.connect()
        let pieces = body.map { "1;x\r\n\($0)\r\n" }.joined()
        client.ask("POST /mcp HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(pieces)0\r\n\r\n")
        client.ask(.post(body))
        let modern = stage.connectHTTP2()
        let streams = [
            modern.ask("POST", "/mcp", body: Array(body.utf8), inPiecesOf: 7),
            modern.ask(
                "POST", "/mcp", [HeaderField("content-length", "\(body.utf8.count)")], body: Array(body.utf8),
                inPiecesOf: 7),
        ]
        #expect(stage.run { client.responses.count == 2 && streams.allSatisfy { modern.isDone($0) } })
        for answer in client.responses + streams.map({ modern[$0].response }) {
            #expect(answer.status >= 500)
            #expect(answer.text.hasPrefix(#"{"jsonrpc":"2.0","id":17,"#), "\(answer.text)")
            #expect(answer["server"] == "berth")
        }
        client.leave()
        modern.leave()
    }

    @Test("a refusal before a server was chosen echoes the id, too")
    func refused() {
        let stage = ProxyStage(seed: 1)
        stage.listener.maximumRequestBody = 100
        let long = String.call(18, tag: String(repeating: "x", count: 100))
        let client = stage.connect()
        client.ask(.post(long))
        let modern = stage.connectHTTP2()
        let stream = modern.ask("POST", "/mcp", body: Array(long.utf8))
        #expect(stage.run { client.responses.count == 1 && modern.isDone(stream) })
        for answer in [client.responses.first ?? Message(), modern[stream].response] {
            #expect(answer.status == 413)
            #expect(answer.text.hasPrefix(#"{"jsonrpc":"2.0","id":18,"#), "\(answer.text)")
        }
        client.leave()
        modern.leave()
    }

    @Test("a body that does not come to its end is answered with its id")
    func incomplete() {
        let stage = ProxyStage(seed: 1)
        let body = String.call(19)
        let client = stage.connect()
        client.ask("POST /mcp HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n\(body)")
        let modern = stage.connectHTTP2()
        let stream = modern.ask(
            "POST", "/mcp", body: Array((body + body).utf8), inPiecesOf: body.utf8.count, every: .seconds(100))
        #expect(stage.run(within: .seconds(60)) { client.responses.count == 1 && modern[stream].response.isComplete })
        for answer in [client.responses.first ?? Message(), modern[stream].response] {
            #expect(answer.status == 408)
            #expect(answer.text.hasPrefix(#"{"jsonrpc":"2.0","id":19,"#), "\(answer.text)")
        }
        client.leave()
        modern.leave()
    }

    @Test(
        "Allow names every method that is forwarded, and those that are not get 405",
        arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "CONNECT"])
    func methods(name: String) {
        let stage = ProxyStage(seed: 1)
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        let client = stage.connect()
        client.ask("\(name) \(name == "CONNECT" ? "h:443" : "/") HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(stage.run { client.responses.count == 1 })
        let allowed = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        #expect(client.responses.first?.status == (allowed.contains(name) ? 200 : 405))
        #expect(server.requests.count == (allowed.contains(name) ? 1 : 0))
        if !allowed.contains(name) {
            #expect(client.responses.first?["allow"] == allowed.joined(separator: ", "))
        }
        client.leave()
    }
}
