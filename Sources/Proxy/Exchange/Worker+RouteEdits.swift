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
        if !extras.prefix.bytes.isEmpty { restorePrefix(exchange, extras.prefix) }
        io.composed.append(extras.fields.lines)
    }

    /// The same for a response of the proxy's own, all of which is composed.
    mutating func editOwnResponse(_ exchange: Handle) {
        appendChallenge(exchange)
        guard let extras = exchanges.extras[exchange.slot], !extras.fields.isEmpty else { return }
        io.editComposedHead(extras.fields)
    }

    /// Puts the prefix back into fields that point at the server itself, which few responses have.
    private mutating func restorePrefix(_ exchange: Handle, _ prefix: StrippedPrefix) {
        for index in 0..<io.responseHead.fields.count {
            guard let name = referenceName(io.responseHead.fields[index]) else { continue }
            let value = io.received.bytes(io.responseHead.fields[index].value.range)
            let asked = askedOf(exchange, prefix)
            guard let path = OwnReference.path(value, authorities: asked.authorities) else { continue }
            let restored = prefix.restored(path, asked: asked.target)
            if restored == path { continue }
            io.responseHead.fields[index].isHopByHop = true
            io.composed.append(name)
            io.composed.append(restored)
            io.composed.append("\r\n")
        }
    }

    /// The beginning of the line of a field that is a reference; nil if the field is none, or is not passed on.
    private func referenceName(_ field: Field) -> StaticString? {
        guard !field.isHopByHop, case .other = field.kind else { return nil }
        let name = io.received.span.extracting(field.name.range)
        if name.count == 8, name.hasIgnoringCase("location", at: 0) { return "location: " }
        return name.count == 16 && name.hasIgnoringCase("content-location", at: 0) ? "content-location: " : nil
    }

    /// What the server was asked for: the target that it got, and the names that it may have of itself. Of a request that was
    /// not kept, only what is known otherwise.
    private mutating func askedOf(_ exchange: Handle, _ prefix: StrippedPrefix) -> (
        target: [UInt8], authorities: [[UInt8]]
    ) {
        var authorities = [servers[Int(exchanges[exchange].server)].plan.authority]
        if case .fixed(let name) = servers.upstreams[Int(exchanges[exchange].upstream)].plan.host {
            authorities.append(name)
        }
        guard let request = keptRequest(exchange) else { return ([], authorities) }
        authorities.append(request.bytes(io.requestHead.authority.range))
        return (prefix.strip(request.bytes(io.requestHead.target.range)), authorities)
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
