import HTTP
import Reactor
import Testing

/// The contents of a parsed request head, as copies that can be compared.
struct RequestReading: Equatable {
    var outcome: HeadOutcome
    var method = ""
    var target = ""
    var authority = ""
    var minorVersion: UInt8 = 1
    var framing = BodyFraming.none
    var isKeepAlive = true
    var expectsContinue = false
    var acceptsEventStream = false
    var sessionID: String?
    var protocolVersion: String?
    var lastEventID: String?
    var forwardedFor: String?
    var fields: [FieldReading] = []
}

/// The contents of a parsed response head.
struct ResponseReading: Equatable {
    var outcome: HeadOutcome
    var status: UInt16 = 0
    var minorVersion: UInt8 = 1
    var reason = ""
    var framing = BodyFraming.none
    var isKeepAlive = true
    var isEventStream = false
    var sessionID: String?
    var keepAliveSeconds: UInt32?
    var fields: [FieldReading] = []
}

struct FieldReading: Equatable {
    var name: String
    var value: String
    var line: String
    var kind: KnownField
    var isHopByHop: Bool

    init(_ field: Field, in bytes: [UInt8]) {
        name = text(field.name, of: bytes)
        value = text(field.value, of: bytes)
        line = text(field.line, of: bytes)
        kind = field.kind
        isHopByHop = field.isHopByHop
    }
}

/// The bytes as Latin-1, in which every byte is a character.
func text(_ range: ByteRange, of bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes[range.range].map { Unicode.Scalar($0) }))
}

func latin1(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

func read(
    _ bytes: [UInt8], limits: HeadLimits = HeadLimits(), reusing head: inout RequestHead
) -> RequestReading {
    let outcome = RequestParser(limits: limits).parse(bytes.span, into: &head)
    return reading(of: head, outcome, in: bytes)
}

/// The same by the lines that an HTTP/2 session has noted.
func read(_ bytes: [UInt8], _ noted: HTTP2RequestHead, in events: borrowing HTTP2Events) -> RequestReading {
    var head = RequestHead()
    let outcome = RequestParser(limits: HeadLimits()).parse(bytes.span, noted, in: events, into: &head)
    return reading(of: head, outcome, in: bytes)
}

private func reading(of head: borrowing RequestHead, _ outcome: HeadOutcome, in bytes: [UInt8]) -> RequestReading {
    var reading = RequestReading(outcome: outcome)
    guard case .complete = outcome else { return reading }
    reading.method = text(head.methodName, of: bytes)
    reading.target = text(head.target, of: bytes)
    reading.authority = text(head.authority, of: bytes)
    reading.minorVersion = head.minorVersion
    reading.framing = head.framing
    reading.isKeepAlive = head.isKeepAlive
    reading.expectsContinue = head.expectsContinue
    reading.acceptsEventStream = head.acceptsEventStream
    reading.sessionID = head.sessionID.map { text($0, of: bytes) }
    reading.protocolVersion = head.protocolVersion.map { text($0, of: bytes) }
    reading.lastEventID = head.lastEventID.map { text($0, of: bytes) }
    reading.forwardedFor = head.forwardedFor.map { text($0, of: bytes) }
    for index in 0..<head.fields.count { reading.fields.append(FieldReading(head.fields[index], in: bytes)) }
    #expect(reading.outcome == .complete(head.length))
    return reading
}

func read(_ bytes: [UInt8], limits: HeadLimits = HeadLimits()) -> RequestReading {
    var head = RequestHead()
    return read(bytes, limits: limits, reusing: &head)
}

func read(
    response bytes: [UInt8], answering method: HTTP.Method = .get, limits: HeadLimits = HeadLimits(),
    reusing head: inout ResponseHead
) -> ResponseReading {
    let parser = ResponseParser(limits: limits)
    var reading = ResponseReading(outcome: parser.parse(bytes.span, answering: method, into: &head))
    guard case .complete = reading.outcome else { return reading }
    reading.status = head.status
    reading.minorVersion = head.minorVersion
    reading.reason = text(head.reason, of: bytes)
    reading.framing = head.framing
    reading.isKeepAlive = head.isKeepAlive
    reading.isEventStream = head.isEventStream
    reading.sessionID = head.sessionID.map { text($0, of: bytes) }
    reading.keepAliveSeconds = head.keepAliveSeconds
    for index in 0..<head.fields.count { reading.fields.append(FieldReading(head.fields[index], in: bytes)) }
    #expect(reading.outcome == .complete(head.length))
    return reading
}

func read(
    response bytes: [UInt8], answering method: HTTP.Method = .get, limits: HeadLimits = HeadLimits()
) -> ResponseReading {
    var head = ResponseHead()
    return read(response: bytes, answering: method, limits: limits, reusing: &head)
}

/// Expects the same result whole and in pieces. Heads are parsed from their first byte each time, so pieces are
/// prefixes: each must be incomplete or have the result of the whole, whatever was parsed before it. Bytes after the
/// head must not change the result. One head is used again for all, as a worker does.
func expectSameInPieces(_ bytes: [UInt8], limits: HeadLimits = HeadLimits()) {
    var head = RequestHead()
    let whole = read(bytes, limits: limits, reusing: &head)
    var isDecided = false
    for count in 0...bytes.count {
        let reading = read(Array(bytes[..<count]), limits: limits, reusing: &head)
        if isDecided || count == bytes.count {
            #expect(reading == whole, "the first \(count) bytes of \(text(bytes)) are read in another way")
        } else if reading.outcome != .incomplete {
            #expect(reading == whole, "decided after \(count) bytes of \(text(bytes)), and differently")
            isDecided = true
        }
    }
    guard whole.outcome != .incomplete else { return }
    #expect(read(bytes + latin1("GET /next HTTP/1.1\r\n\r\n: \0"), limits: limits, reusing: &head) == whole)
}

/// The same for responses.
func expectSameInPieces(
    response bytes: [UInt8], answering method: HTTP.Method, limits: HeadLimits = HeadLimits()
) {
    var head = ResponseHead()
    let whole = read(response: bytes, answering: method, limits: limits, reusing: &head)
    var isDecided = false
    for count in 0...bytes.count {
        let prefix = Array(bytes[..<count])
        let reading = read(response: prefix, answering: method, limits: limits, reusing: &head)
        if isDecided || count == bytes.count {
            #expect(reading == whole, "the first \(count) bytes of \(text(bytes)) are read in another way")
        } else if reading.outcome != .incomplete {
            #expect(reading == whole, "decided after \(count) bytes of \(text(bytes)), and differently")
            isDecided = true
        }
    }
    guard whole.outcome != .incomplete else { return }
    #expect(
        read(response: bytes + latin1("\r\nHTTP/1.1 \0"), answering: method, limits: limits, reusing: &head) == whole)
}

private func text(_ bytes: [UInt8]) -> String {
    String(text(ByteRange(start: 0, count: bytes.count), of: bytes).prefix(300)).debugDescription
}
