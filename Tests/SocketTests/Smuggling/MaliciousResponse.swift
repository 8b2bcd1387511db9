import Testing

/// Bytes that a replica answers with, and what the client must receive.
struct MaliciousResponse: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// 502 instead.
        case replaced
        /// The head is forwarded, and the connection ends so that the client can tell that the body is incomplete.
        case cut
        /// The response is forwarded unchanged, without the bytes after it.
        case passed(String)
    }

    let name: String
    let steps: [ReplicaStep]
    let outcome: Outcome
    var method = "GET"

    var testDescription: String { name }

    static func replaced(_ text: String, then more: ReplicaStep...) -> MaliciousResponse {
        MaliciousResponse(
            name: "502 for " + text.prefix(120).debugDescription, steps: [.text(text)] + more, outcome: .replaced)
    }

    /// A head with `fields`, and a chunked body after it.
    static func head(_ fields: String) -> MaliciousResponse {
        replaced("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    }

    static func cut(_ framing: String, _ body: String, then more: ReplicaStep...) -> MaliciousResponse {
        MaliciousResponse(
            name: "\(framing) cut at " + body.prefix(120).debugDescription,
            steps: [.text("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n\(body)")] + more, outcome: .cut)
    }

    static func chunks(_ body: String, then more: ReplicaStep...) -> MaliciousResponse {
        MaliciousResponse(
            name: "chunks " + body.prefix(120).debugDescription,
            steps: [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\(body)")] + more, outcome: .cut)
    }

    static func passed(_ name: String, _ text: String, _ body: String, method: String = "GET") -> MaliciousResponse {
        MaliciousResponse(name: name, steps: [.text(text)], outcome: .passed(body), method: method)
    }

    static let spacedColon = "white space before a colon"
    static let spacedChunk = "white space before a chunk's size"

    private static let second = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhidden"

    static let all: [MaliciousResponse] = [
        head("content-length: 5\r\ntransfer-encoding: chunked"),
        head("transfer-encoding: chunked\r\ncontent-length: 5"),
        head("content-length: 5\r\ncontent-length: 6"),
        head("content-length: +5"), head("content-length: 5,6"), head("content-length: 0x5"),
        head("content-length: -5"), head("content-length: 99999999999999999999"), head("content-length:"),
        head("transfer-encoding: xchunked"), head("transfer-encoding: gzip, chunked"),
        head("transfer-encoding: chunked\r\ntransfer-encoding: chunked"),
        head("transfer-encoding: \u{b}chunked"),
        head("x: a\ny: b\r\ncontent-length: 2"), head("x: a\r\n folded\r\ncontent-length: 2"),
        head("x: a\rset-cookie: b\r\ncontent-length: 2"), head("x: a\u{0}b\r\ncontent-length: 2"),
        head("x y: a\r\ncontent-length: 2"), head(": a\r\ncontent-length: 2"), head("no colon\r\ncontent-length: 2"),
        head("mcp-session-id: a\r\nmcp-session-id: b\r\ncontent-length: 2"),
        head((0..<120).map { "x-\($0): y\r\n" }.joined() + "content-length: 2"),
        head("x: \(String(repeating: "y", count: 70_000))\r\ncontent-length: 2"),
        replaced("HTTP/1.1 200 OK\ncontent-length: 2\n\nno"),
        replaced("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        replaced("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"),
        replaced("HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\nhello"),
        replaced(String(repeating: "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n", count: 20_000)),
        replaced("HTTP/1.1 200 OK\rx: y\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/1.1 200 O\u{0}K\r\ncontent-length: 0\r\n\r\n"),
        replaced(" HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/1.1 99 Low\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/1.1 600 High\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/1.1 2000 Long\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/1.1 200OK\r\ncontent-length: 0\r\n\r\n"),
        replaced("HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n"),
        replaced("SSH-2.0-OpenSSH_9.9\r\n"),
        replaced("\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{28}"),
        replaced("\r\n\r\n\r\n"),
        replaced("HTTP/1.1 200 OK\r\ncontent-", then: .close),
        replaced("", then: .close),
        replaced("", then: .reset),

        chunks("5x\r\nhello\r\n0\r\n\r\n"), chunks("-5\r\nhello\r\n0\r\n\r\n"), chunks("5 5\r\nhello\r\n0\r\n\r\n"),
        chunks("FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), chunks("5\r\nhelloX\r\n0\r\n\r\n"),
        chunks("5\r\nhello\n0\r\n\r\n"), chunks("5\nhello\r\n0\r\n\r\n"), chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"),
        chunks("5\r\nhello\r\n0\r\nx: a\nb\r\n\r\n"), chunks("5\r\nhello\r\n", then: .close),
        chunks("5\r\nhello\r\n", then: .reset), chunks("5\r\nhe", then: .close),
        chunks("5\r\nhello\r\n0\r\n", then: .close), chunks(second),
        cut("content-length: 10", "hello", then: .close), cut("content-length: 10", "hello", then: .reset),
        cut("x-no-length: 1", "hello", then: .reset),

        passed("a second answer behind a counted one", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + second, "ok"),
        passed(
            "a second answer behind a chunked one",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + second, "ok"),
        passed("a body on 304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\nhello", ""),
        passed("a body on 204", "HTTP/1.1 204 No Content\r\n\r\nhello", ""),
        passed("a counted body on 204", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", ""),
        passed(
            "a response as the body of a 204", "HTTP/1.1 204 No Content\r\ncontent-length: 45\r\n\r\n" + second, ""),
        passed(
            "two equal lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n5\r\nhello",
            "5\r\nhe"),
        passed("a list of equal lengths", "HTTP/1.1 200 OK\r\ncontent-length: 5,5\r\n\r\n5\r\nhello", "5\r\nhe"),
        passed(
            spacedColon, "HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
        passed(
            spacedChunk, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n", "hello"),
        passed(
            "forty interim responses",
            String(repeating: "HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n", count: 40)
                + "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + second, "ok"),
        passed("a body for HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "", method: "HEAD"),
        passed("an answer behind HEAD's", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n" + second, "", method: "HEAD"),
        // It ends exactly where one read of the proxy ends, with more bytes in the socket.
        exactRead,
        // A response within a chunk extension is not a response.
        passed(
            "an answer in a chunk extension",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;HTTP/1.1 200 OK\r\nok\r\n0\r\n\r\n", "ok"),
    ]

    private static var exactRead: MaliciousResponse {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 65400\r\nx-fill: "
        let fill = String(repeating: "f", count: 65_536 - 65_400 - head.utf8.count - 4)
        let body = String(repeating: "b", count: 65_400)
        return passed("a second answer behind one of 64 KiB", head + fill + "\r\n\r\n" + body + second, body)
    }
}
