import HTTP
import Reactor

/// The events of one request of a client's session.
struct RequestEvents: Equatable {
    var status: UInt16 = 0
    var heads = 0
    var contentType = ""
    var sessionID = ""
    var body: [UInt8] = []
    var isEnded = false
    var reset: UInt32?
    var isUnprocessed = false
    /// Events after the last one; must stay empty.
    var extra = 0

    var isOver: Bool { isEnded || reset != nil || isUnprocessed }
}

/// The client's session under test with a buffer for each direction.
final class ClientSessionHarness {
    private var session: HTTP2ClientSession
    private var events = HTTP2ClientEvents()
    private(set) var requests: [UInt32: RequestEvents] = [:]
    private(set) var goAways: [UInt32] = []
    /// The last result of `receive`.
    private(set) var isSound = true

    static let forms: [HTTP2RequestForms.Form] = [
        .init(
            method: "POST", scheme: "http", authority: "a.example", path: "/mcp",
            fields: [("content-type", "application/json"), ("accept", "application/json, text/event-stream")]),
        .init(method: "GET", scheme: "http", authority: "a.example", path: "/mcp", fields: []),
    ]

    init(_ limits: HTTP2ClientLimits = HTTP2ClientLimits()) {
        guard let session = HTTP2ClientSession(forms: HTTP2RequestForms(ClientSessionHarness.forms), limits: limits)
        else {
            fatalError("no memory")
        }
        self.session = session
    }

    @discardableResult
    func request(_ tag: UInt32, form: Int = 0, path: String = "", lines: String = "", body: [UInt8] = []) -> Int32? {
        var pathBytes = ByteBuffer()
        var lineBytes = ByteBuffer()
        var bodyBytes = ByteBuffer()
        pathBytes.append(Array(path.utf8))
        lineBytes.append(Array(lines.utf8))
        bodyBytes.append(body)
        return session.request(form: form, path: pathBytes, lines: lineBytes, body: bodyBytes, tag: tag)
    }

    func send(limit: Int = 1 << 30) -> [UInt8] {
        var wire = ByteBuffer()
        wire.append("kept")
        session.send(into: &wire, limit: limit, events: &events)
        let bytes = allBytes(of: wire)
        collect([])
        return Array(bytes.dropFirst(4))
    }

    @discardableResult
    func receive(_ bytes: [UInt8]) -> Bool {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        isSound = session.receive(buffer, events: &events)
        collect(bytes)
        return isSound
    }

    func cancel(stream: Int32) { session.cancel(stream: stream) }
    var acceptsRequests: Bool { session.acceptsRequests }
    var maximumStreams: Int { session.maximumStreams }
    var streams: Int { session.streams }
    var isFinished: Bool { session.isFinished }

    private func collect(_ input: [UInt8]) {
        for index in 0..<events.count {
            switch events[index] {
            case .response(let tag, let status, let contentType, let sessionID):
                change(tag) {
                    $0.status = status
                    $0.heads += 1
                    $0.contentType = text(of: contentType)
                    $0.sessionID = text(of: sessionID)
                }
            case .data(let tag, let range): change(tag) { $0.body += input[range.range] }
            case .ended(let tag): change(tag) { $0.isEnded = true }
            case .reset(let tag, let code): change(tag) { $0.reset = code }
            case .unprocessed(let tag): change(tag) { $0.isUnprocessed = true }
            case .goAway(let code): goAways.append(code)
            }
        }
        events.removeAll()
    }

    private func change(_ tag: UInt32, _ body: (inout RequestEvents) -> Void) {
        var entry = requests[tag, default: RequestEvents()]
        if entry.isOver { entry.extra += 1 }
        body(&entry)
        requests[tag] = entry
    }

    private func text(of range: ByteRange) -> String {
        var bytes: [UInt8] = []
        for index in range.range { bytes.append(events.bytes.span[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A client's session and a server's session of this module, joined without a network.
final class SessionPair {
    let caller: ClientSessionHarness
    let server: ServerSessionHarness

    init(_ limits: HTTP2Limits = HTTP2Limits(), caller: ClientSessionHarness = ClientSessionHarness()) {
        self.caller = caller
        server = ServerSessionHarness(limits: limits)
        exchange()
    }

    /// Transfers bytes both ways until neither side has more; at most `pieces` bytes at once to the client.
    func exchange(pieces: Int = .max) {
        for _ in 0..<10_000 {
            let up = caller.send()
            if !up.isEmpty { server.receive(up) }
            let down = server.send()
            var rest = down[...]
            while !rest.isEmpty {
                caller.receive(Array(rest.prefix(pieces)))
                rest = rest.dropFirst(pieces)
            }
            if up.isEmpty, down.isEmpty { return }
        }
        fatalError("the two never stop talking")
    }
}
