import HTTP
import Kernel
import Reactor

/// HTTP/2 connections through nghttp2: the same events in any pieces, in an order that makes sense.
enum HTTP2Checks {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

    static func server(_ input: [UInt8]) throws(Finding) {
        let (size, selector, bytes) = Pieces.cut(input)
        let frames = selector & 1 == 0 ? preface + bytes : bytes
        let whole = try serverEvents(frames, size: max(1, frames.count), answers: false)
        for size in [1, size] {
            let other = try serverEvents(frames, size: size, answers: false)
            try requireEqual(settled(other, end: "end"), settled(whole, end: "end"), "in pieces of \(size)")
        }
        try checkOrder(whole)
        try checkOrder(try serverEvents(frames, size: size, answers: true))
    }

    /// The events without the data of messages that do not come to their end: of a frame that breaks a message, more or less
    /// may have been given out when that shows. And without a second GOAWAY: once no stream is open, nghttp2 drops what
    /// comes behind the first one, unless it comes in the same call.
    private static func settled(_ heard: [String], end: String) -> [String] {
        let ended = Set(heard.filter { $0.split(separator: " ")[1] == end }.map { $0.prefix { $0 != " " } })
        var isGoing = false
        return heard.filter { event in
            let words = event.split(separator: " ", maxSplits: 2)
            if words[1] == "goaway" {
                defer { isGoing = true }
                return !isGoing
            }
            return words[1] != "data" || ended.contains(words[0])
        }
    }

    /// What a server hears, data of one stream in a row joined; with `answers` it answers each request, and resets some.
    private static func serverEvents(_ bytes: [UInt8], size: Int, answers: Bool) throws(Finding) -> [String] {
        let now = Instant(nanoseconds: 1_000_000_000)
        guard var session = HTTP2Session(limits: HTTP2Limits(), now: now) else { throw Finding(message: "no memory") }
        var events = HTTP2Events()
        var output = ByteBuffer()
        var heard: [String] = []
        for piece in Pieces.of(bytes, size: size) {
            var buffer = ByteBuffer()
            buffer.append(piece)
            var isRest = false
            repeat {
                let isSound = session.receive(&buffer, isRest: isRest, now: now, events: &events)
                isRest = true
                try hear(&events, &heard, &session, answers: answers)
                if !isSound { break }
            } while !buffer.isEmpty
            if answers { session.send(into: &output, limit: 100_000, events: &events) }
            try hear(&events, &heard, &session, answers: answers)
        }
        return heard
    }

    private static func hear(
        _ events: inout HTTP2Events, _ heard: inout [String], _ session: inout HTTP2Session, answers: Bool
    ) throws(Finding) {
        defer { events.removeAll() }
        for index in 0..<events.count {
            switch events[index] {
            case .request(let stream, let noted, let endsStream):
                let head = text(noted.text, events.bytes)
                try checkHead(head, noted, events)
                heard.append("\(stream) request \(endsStream) \(latin1(head).debugDescription)")
                if answers { answer(stream, &session) }
            case .data(let stream, let range):
                let data = latin1(text(range, events.bytes)).debugDescription.dropFirst().dropLast()
                let start = "\(stream) data "
                if let last = heard.last, last.hasPrefix(start) {
                    heard[heard.count - 1] = last + data
                } else {
                    heard.append(start + data)
                }
                if answers { session.consumed(stream: stream, Int(range.count)) }
            case .requestEnd(let stream, let range):
                heard.append("\(stream) end \(latin1(text(range, events.bytes)).debugDescription)")
            case .reset(let stream, let code): heard.append("\(stream) reset \(code)")
            case .closed(let stream): heard.append("\(stream) closed")
            case .drained, .protocolEvent: break
            case .goAway: heard.append("0 goaway")
            }
        }
    }

    private static func answer(_ stream: Int32, _ session: inout HTTP2Session) {
        if stream % 8 == 7 { return session.reset(stream: stream, code: .cancel) }
        var head = ByteBuffer()
        head.append(Array("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n".utf8))
        _ = session.respond(stream: stream, head: head, 0..<head.count, endsStream: stream % 8 == 1)
        var body = ByteBuffer()
        body.append([UInt8](repeating: 1, count: 3_000))
        _ = session.write(stream: stream, body, 0..<body.count)
        session.endResponse(stream: stream)
    }

    /// A request becomes one head of HTTP/1.1, which ends where it should; or one that the strict parser refuses, as it does an
    /// authority that is none.
    private static func checkHead(
        _ bytes: [UInt8], _ noted: HTTP2RequestHead, _ events: borrowing HTTP2Events
    ) throws(Finding) {
        var head = RequestHead()
        var other = RequestHead()
        let parser = RequestParser(limits: HeadLimits(headBytes: 1 << 20, targetBytes: 65_536))
        let outcome = parser.parse(bytes.span, into: &head)
        try require(
            parser.parse(bytes.span, noted, in: events, into: &other) == outcome && lines(of: other) == lines(of: head),
            "noted in another way: \(latin1(bytes).debugDescription)")
        switch outcome {
        case .complete(let count): try require(count == bytes.count, "two heads: \(latin1(bytes).debugDescription)")
        case .incomplete: throw Finding(message: "no end: \(latin1(bytes).debugDescription)")
        case .invalid: break
        }
    }

    private static func lines(of head: borrowing RequestHead) -> [String] {
        (0..<head.fields.count).map { "\(head.fields[$0])" } + ["\(head.framing) \(head.authority) \(head.target)"]
    }

    private static func text(_ range: ByteRange, _ bytes: borrowing ByteBuffer) -> [UInt8] {
        range.range.map { bytes.span[$0] }
    }

    /// Expects a stream's events behind its request, and none behind its end.
    private static func checkOrder(_ heard: [String]) throws(Finding) {
        var open: Set<Substring> = []
        var complete: Set<Substring> = []
        for event in heard {
            let words = event.split(separator: " ", maxSplits: 3)
            let stream = words[0]
            switch words[1] {
            case "request":
                try require(open.insert(stream).inserted, "a second request: \(event)")
                if words[2] == "true" { complete.insert(stream) }
            case "data": try require(open.contains(stream) && !complete.contains(stream), "stray: \(event)")
            case "end": try require(open.contains(stream) && complete.insert(stream).inserted, "stray: \(event)")
            case "reset", "closed": try require(open.remove(stream) != nil, "stray: \(event)")
            default: break
            }
        }
    }

    // MARK: - The client's side

    private static let forms = HTTP2RequestForms([
        .init(method: "POST", scheme: "http", authority: "a.test", path: "/mcp", fields: [("accept", "*/*")]),
        .init(method: "GET", scheme: "http", authority: "a.test", path: "/mcp", fields: []),
    ])

    static func client(_ input: [UInt8]) throws(Finding) {
        let (size, selector, bytes) = Pieces.cut(input)
        let frames = selector & 1 == 0 ? [0, 0, 0, 4, 0, 0, 0, 0, 0] + bytes : bytes
        let whole = try clientEvents(frames, size: max(1, frames.count))
        for size in [1, size] {
            let other = try clientEvents(frames, size: size)
            try requireEqual(settled(other, end: "ended"), settled(whole, end: "ended"), "in pieces of \(size)")
        }
    }

    private static func clientEvents(_ bytes: [UInt8], size: Int) throws(Finding) -> [String] {
        guard var session = HTTP2ClientSession(forms: forms, limits: HTTP2ClientLimits()) else {
            throw Finding(message: "no memory")
        }
        var events = HTTP2ClientEvents()
        var output = ByteBuffer()
        var body = ByteBuffer()
        body.append(Array("{}".utf8))
        for tag in 0..<3 as Range<UInt32> {
            _ = session.request(form: Int(tag & 1), path: ByteBuffer(), lines: ByteBuffer(), body: body, tag: tag)
        }
        session.send(into: &output, limit: 1 << 20, events: &events)
        var heard: [String] = []
        var ended: Set<UInt32> = []
        for piece in Pieces.of(bytes, size: size) {
            var buffer = ByteBuffer()
            buffer.append(piece)
            let isSound = session.receive(buffer, events: &events)
            for index in 0..<events.count { try hear(events[index], piece, events.bytes, &heard, &ended) }
            events.removeAll()
            if !isSound { break }
        }
        return heard
    }

    private static func hear(
        _ event: HTTP2ClientEvent, _ piece: [UInt8], _ values: borrowing ByteBuffer, _ heard: inout [String],
        _ ended: inout Set<UInt32>
    ) throws(Finding) {
        switch event {
        case .response(let tag, let status, let contentType, let sessionID):
            try require(!ended.contains(tag), "a head behind the end")
            try require((200...999).contains(status), "status \(status)")
            heard.append("\(tag) \(status) \(latin1(text(contentType, values))) \(latin1(text(sessionID, values)))")
        case .data(let tag, let range):
            try require(!ended.contains(tag) && range.upperBound <= piece.count, "stray data at \(range)")
            let data = latin1(piece[range.range]).debugDescription.dropFirst().dropLast()
            let start = "\(tag) data "
            if let last = heard.last, last.hasPrefix(start) {
                heard[heard.count - 1] = last + data
            } else {
                heard.append(start + data)
            }
        case .ended(let tag):
            try require(ended.insert(tag).inserted, "ended twice")
            heard.append("\(tag) ended")
        case .reset(let tag, let code):
            try require(ended.insert(tag).inserted, "ended twice")
            heard.append("\(tag) reset \(code)")
        case .unprocessed(let tag):
            try require(ended.insert(tag).inserted, "ended twice")
            heard.append("\(tag) unprocessed")
        case .goAway(let code): heard.append("0 goaway \(code)")
        }
    }
}
