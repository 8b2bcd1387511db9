import HTTP
import Reactor

/// Heads of HTTP/1: a result does not depend on how the bytes come, and what is accepted can be read in one way only.
enum HTTP1Checks {
    static func request(_ bytes: [UInt8]) throws(Finding) {
        let limits = HeadLimits(headBytes: 500, targetBytes: 60, fields: 8)
        var head = RequestHead()
        let whole = reading(bytes, limits, &head)
        var isDecided = false
        for count in 0...bytes.count {
            let part = reading(Array(bytes[..<count]), limits, &head)
            if part.first == "\(HeadOutcome.incomplete)", !isDecided { continue }
            isDecided = true
            try requireEqual(part, whole, "read in another way after \(count) bytes")
        }
        guard case .complete(let end) = RequestParser(limits: limits).parse(bytes.span, into: &head) else { return }
        try require(end <= bytes.count, "ends behind its input")
        try requireEqual(
            reading(bytes + Array("GET /next HTTP/1.1\r\n\r\n: \0".utf8), limits, &head), whole,
            "what follows changes the head")
        try checkLines(Array(bytes[..<end]), framing: "\(head.framing)", minorVersion: head.minorVersion)
        try recompose(bytes, end, &head, whole)
    }

    /// An accepted head, written anew from its fields, is the same.
    private static func recompose(
        _ bytes: [UInt8], _ end: Int, _ head: inout RequestHead, _ whole: [String]
    ) throws(Finding) {
        _ = RequestParser(limits: HeadLimits()).parse(bytes.span, into: &head)
        let start = bytes.starts(with: [13, 10]) ? 2 : 0
        guard let line = bytes[start...].firstIndex(of: 13) else { throw Finding(message: "no start line") }
        var text = Array(bytes[start..<line]) + [13, 10]
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            text += bytes[field.name.range] + Array(": ".utf8) + bytes[field.value.range] + [13, 10]
        }
        text += [13, 10]
        let before = reading(bytes, HeadLimits(), &head).dropFirst()
        try requireEqual(
            Array(reading(text, HeadLimits(), &head).dropFirst()), Array(before), "composed anew it is another head")
    }

    /// The outcome and the contents of a head.
    private static func reading(_ bytes: [UInt8], _ limits: HeadLimits, _ head: inout RequestHead) -> [String] {
        let outcome = RequestParser(limits: limits).parse(bytes.span, into: &head)
        guard case .complete = outcome else { return ["\(outcome)"] }
        let text = { (range: ByteRange) in latin1(bytes[range.range]) }
        var reading = [
            "\(outcome)", "\(head.method)", text(head.methodName), text(head.target), text(head.authority),
            "\(head.minorVersion) \(head.framing) \(head.isKeepAlive) \(head.expectsContinue)",
            "\(head.acceptsEventStream)", "session \(head.sessionID.map(text) ?? "-")",
            "version \(head.protocolVersion.map(text) ?? "-")", "last \(head.lastEventID.map(text) ?? "-")",
            "from \(head.forwardedFor.map(text) ?? "-")",
        ]
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            reading.append("\(text(field.name)): \(text(field.value)) \(field.kind) \(field.isHopByHop)")
        }
        return reading
    }

    /// Looks at an accepted head as simply as can be: lines end with CR LF and nothing else, and what frames the message
    /// stands there once.
    private static func checkLines(_ head: [UInt8], framing: String, minorVersion: UInt8) throws(Finding) {
        try require(!head.contains(0), "a NUL")
        for index in head.indices {
            if head[index] == 13 { try require(index + 1 < head.count && head[index + 1] == 10, "a CR alone") }
            if head[index] == 10 { try require(index > 0 && head[index - 1] == 13, "an LF alone") }
        }
        let lines = latin1(head).split(separator: "\r\n", omittingEmptySubsequences: true).dropFirst()
        var values: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.unicodeScalars.firstIndex(of: ":") else { throw Finding(message: "no colon") }
            let name = line[..<colon].lowercased()
            values[name, default: []].append(
                line[line.unicodeScalars.index(after: colon)...].trimmingSpace().lowercased())
        }
        for name in ["host", "content-length", "transfer-encoding"] {
            try require(values[name, default: []].count <= 1, "\(name) twice")
        }
        let (length, coding) = (values["content-length"]?.first, values["transfer-encoding"]?.first)
        try require(length == nil || coding == nil, "two framings")
        if let coding { try require(coding == "chunked" && framing == "chunked" && minorVersion > 0, "another coding") }
        if let length {
            guard let number = Int(length), number >= 0 else { throw Finding(message: "a length of \(length)") }
            try require(
                framing == "\(BodyFraming.length(UInt64(number)))" || number == 0, "framed by \(framing), not \(length)"
            )
        }
        try require(length != nil || coding != nil || framing == "none", "framed by \(framing)")
    }

    // MARK: - Responses

    static func response(_ input: [UInt8]) throws(Finding) {
        let (_, selector, bytes) = Pieces.cut(input)
        let methods: [HTTP.Method] = [.get, .head, .post, .connect]
        let method = methods[Int(selector & 3)]
        let limits = HeadLimits(headBytes: 500, targetBytes: 60, fields: 8)
        var head = ResponseHead()
        let whole = reading(bytes, method, limits, &head)
        var isDecided = false
        for count in 0...bytes.count {
            let part = reading(Array(bytes[..<count]), method, limits, &head)
            if part.first == "\(HeadOutcome.incomplete)", !isDecided { continue }
            isDecided = true
            try requireEqual(part, whole, "read in another way after \(count) bytes")
        }
        guard case .complete(let end) = ResponseParser(limits: limits).parse(bytes.span, answering: method, into: &head)
        else { return }
        try require(end <= bytes.count, "ends behind its input")
        try require((100...599).contains(head.status), "status \(head.status)")
        try requireEqual(
            reading(bytes + Array("\r\nHTTP/1.1 \0".utf8), method, limits, &head), whole,
            "what follows changes the head")
    }

    private static func reading(
        _ bytes: [UInt8], _ method: HTTP.Method, _ limits: HeadLimits, _ head: inout ResponseHead
    ) -> [String] {
        let outcome = ResponseParser(limits: limits).parse(bytes.span, answering: method, into: &head)
        guard case .complete = outcome else { return ["\(outcome)"] }
        let text = { (range: ByteRange) in latin1(bytes[range.range]) }
        var reading = [
            "\(outcome)", "\(head.status) \(head.minorVersion)", text(head.reason), "\(head.framing)",
            "\(head.isKeepAlive) \(head.isEventStream) \(head.hasDate) \(head.needsRewriting) \(head.fault)",
            "session \(head.sessionID.map(text) ?? "-")", "idle \(head.keepAliveSeconds.map(String.init) ?? "-")",
        ]
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            reading.append("\(text(field.name)): \(text(field.value)) \(field.kind) \(field.isHopByHop)")
        }
        return reading
    }
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    func trimmingSpace() -> String {
        let scalars = unicodeScalars.drop { $0 == " " || $0 == "\t" }
        let kept = scalars.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        return String(String.UnicodeScalarView(kept))
    }
}
