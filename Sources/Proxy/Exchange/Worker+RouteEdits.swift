import ASCII
import HTTP
import MCP
import Reactor

/// What routes change in requests and responses on their way.
extension Worker where Outside: ~Copyable {
    /// Whether servers do not get the beginning of the exchange's path.
    func stripsPrefix(_ exchange: Handle) -> Bool {
        if exchanges.extras.isEmpty { return false }
        return exchanges.extras[exchange.slot]?.prefix.bytes.isEmpty == false
    }

    // MARK: - Requests

    /// Takes the prefix off the target in the parsed head, which is composed once and then read anew. Returns what a trusted
    /// proxy has stripped before.
    mutating func stripPrefix(_ exchange: Handle, isTrusted: Bool) -> ByteRange {
        guard let extras = exchanges.extras[exchange.slot], !extras.prefix.bytes.isEmpty else { return .empty }
        io.requestHead.target = extras.prefix.strip(io.requestHead.target, in: io.received)
        return io.takeForwardedPrefix(isTrusted: isTrusted)
    }

    /// Tells the server what was stripped.
    mutating func composePrefix(_ exchange: Handle, behind outer: ByteRange) {
        guard let extras = exchanges.extras[exchange.slot], !extras.prefix.bytes.isEmpty else { return }
        io.appendForwardedPrefix(extras.prefix, behind: outer)
    }

    // MARK: - Responses

    /// Puts the lines in that the route has for its responses, and has those left out that it does not want. The server's head
    /// is parsed and at the front of `io.received`; its status line is composed.
    mutating func editResponseFields(_ exchange: Handle) {
        guard let extras = exchanges.extras[exchange.slot] else { return }
        if !extras.fields.isEmpty { io.dropResponseFields(extras.fields) }
        // Of responses that point elsewhere this is done for all routes.
        if !extras.prefix.bytes.isEmpty, !io.responseHead.mayPointElsewhere { publishReferences(exchange) }
        if let rules = extras.frontDoor?.sharing { replaceCrossOriginFields(exchange, rules) }
        io.composed.append(extras.fields.lines)
    }

    /// The same for a response of the proxy's own, all of which is composed.
    mutating func editOwnResponse(_ exchange: Handle) {
        appendChallenge(exchange)
        guard let extras = exchanges.extras[exchange.slot] else { return }
        var edits = extras.fields
        if let rules = extras.frontDoor?.sharing { edits.share(by: rules, exchanges.extras.verdict(exchange.slot)) }
        if !edits.isEmpty { io.editComposedHead(edits) }
    }

    // MARK: - HTTP+SSE

    /// The target that an endpoint event, of whose data this is the range, names to the client. Nil if it names none.
    func resolveEndpoint(_ exchange: Handle, _ data: Range<Int>) -> [UInt8]? {
        let reference = exchanges[exchange].pending.bytes(data)
        let asked = exchanges[exchange].pending.bytes(0..<Int(exchanges[exchange].targetCount))
        guard stripsPrefix(exchange), let extras = exchanges.extras[exchange.slot] else {
            return EndpointReference.resolve(data: reference.span, against: asked.span)
        }
        // The server means what it was asked for.
        let target = extras.prefix.strip(asked)
        return EndpointReference.resolve(data: reference.span, against: target.span).map {
            extras.prefix.restored($0, asked: target)
        }
    }

    /// Sends on the first event of a stream with another target in it: sessions are not kept, but the path is not the
    /// server's.
    mutating func replaceEndpoint(_ exchange: Handle, _ data: Range<Int>, with target: [UInt8]) {
        var rewritten = ByteBuffer()
        rewritten.append(exchanges[exchange].pending, Int(exchanges[exchange].targetCount)..<data.lowerBound)
        rewritten.append(target)
        rewritten.append(exchanges[exchange].pending, data.upperBound..<exchanges[exchange].pending.count)
        exchanges[exchange].pending = consume rewritten
        exchanges[exchange].targetCount = 0
        releasePending(exchange)
    }
}
