import Kernel
import Simulation

/// A client of the proxy: says what it is told to and reads responses.
final class ScriptedClient {
    let peer: SimulatedPeer
    private var reader = MessageReader(responsesTo: [])
    private var readBytes = 0
    private var hasReadEnd = false

    init(_ peer: SimulatedPeer) {
        self.peer = peer
        // The proxy's FIN is the end: a client that has its answers goes.
        peer.onEnd = { [.close] }
    }

    /// Sends a request; more actions may stand for its pieces.
    func ask(_ request: String) {
        expect(String(request.prefix { $0 != " " }))
        peer.perform(.text(request))
    }

    func ask(_ method: String, _ actions: [SimulatedPeer.Action]) {
        expect(method)
        peer.perform(actions)
    }

    func expect(_ method: String) { reader.expect(method) }

    private func read() {
        if peer.received.count > readBytes {
            reader.read(Array(peer.received[readBytes...]))
            readBytes = peer.received.count
        }
        if peer.hasEnded, !hasReadEnd {
            hasReadEnd = true
            // TLS that was cut off says nothing about the end of a body (RFC 8446 section 6.1).
            if !peer.wasTruncated { reader.end() }
        }
    }

    /// Complete responses, oldest first.
    var responses: [Message] {
        read()
        return reader.complete
    }

    /// The response that has begun.
    var current: Message {
        read()
        return reader.current
    }

    var isBroken: Bool {
        read()
        return reader.isBroken
    }

    var isBetween: Bool {
        read()
        return reader.isBetween
    }

    /// The proxy has ended the connection, or it broke.
    var isOver: Bool { peer.hasEnded || peer.isDone }

    /// When it last got something. (A test may learn of it much later: the worker sleeps through it.)
    var lastReceived: Instant { peer.lastRead ?? .never }

    func leave() { peer.perform(.close) }
}

extension String {
    /// A POST of a JSON-RPC message.
    static func post(
        _ body: String, to target: String = "/mcp", session: String? = nil, version: String? = nil,
        extra: String = ""
    ) -> String {
        var head = "POST \(target) HTTP/1.1\r\nHost: mcp.test\r\nContent-Type: application/json\r\n"
        head += "Accept: application/json, text/event-stream\r\n"
        if let session { head += "Mcp-Session-Id: \(session)\r\n" }
        if let version { head += "MCP-Protocol-Version: \(version)\r\n" }
        return head + extra + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    }

    static func get(_ target: String = "/mcp", extra: String = "") -> String {
        "GET \(target) HTTP/1.1\r\nHost: mcp.test\r\n" + extra + "\r\n"
    }

    static func openStream(_ target: String = "/mcp", session: String? = nil) -> String {
        get(target, extra: "Accept: text/event-stream\r\n" + (session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""))
    }

    /// A JSON-RPC request.
    static func call(_ id: Int, _ method: String = "tools/call", tag: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{"tag":"\#(tag)"}}"#
    }
}
