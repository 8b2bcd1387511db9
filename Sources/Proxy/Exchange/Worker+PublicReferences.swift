import ASCII
import HTTP
import Kernel
import Reactor

/// What servers say of their own places, as clients have to ask for them (RFC 9110 sections 8.7 and 10.2.2).
extension Worker where Outside: ~Copyable {
    /// Writes fields anew that point at the server itself: with the prefix that was stripped from the path, and from the
    /// root on, so that a client stays on scheme and host by which it came; or with the listener's public address. The
    /// server's head is parsed and at the front of `io.received`; its status line is composed.
    mutating func publishReferences(_ exchange: Handle) {
        var asked: AskedServer?
        for index in 0..<io.responseHead.fields.count {
            guard let name = referenceName(io.responseHead.fields[index]) else { continue }
            let value = io.received.bytes(io.responseHead.fields[index].value.range)
            let facts = asked ?? askedServer(exchange)
            asked = facts
            guard let published = facts.published(value) else { continue }
            io.responseHead.fields[index].isHopByHop = true
            io.composed.append(name)
            io.composed.append(published)
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

    /// What the server was asked for, and by which names it may know itself. Of a request that was not kept, only what is
    /// known otherwise.
    private mutating func askedServer(_ exchange: Handle) -> AskedServer {
        let client = exchanges[exchange].client
        let listener = clients.listener(of: client)
        let server = Int(exchanges[exchange].server)
        var asked = AskedServer()
        if let prefix = exchanges.extras[exchange.slot]?.prefix, !prefix.bytes.isEmpty { asked.prefix = prefix }
        asked.publicOrigin = clients.listeners[listener].plan.publicOrigin
        asked.authorities = [servers[server].plan.authority]
        asked.authorities += servers[server].plan.addresses.map { Array("\($0)".utf8) }
        if case .fixed(let name) = servers.upstreams[Int(exchanges[exchange].upstream)].plan.host {
            asked.authorities.append(name)
        }
        asked.mayBeSecure = clients[client].isSecure || clients.trusts(clients[client].address, listener)
        guard let request = keptRequest(exchange) else { return asked }
        asked.host = request.bytes(io.requestHead.authority.range)
        asked.authorities.append(asked.host)
        asked.authorities.append(AskedServer.name(of: asked.host) + Array(":\(servers[server].plan.port)".utf8))
        let target = request.bytes(io.requestHead.target.range)
        asked.target = asked.prefix?.strip(target) ?? target
        return asked
    }
}

/// A server as a client has asked for it.
private struct AskedServer {
    /// Names that it may have of itself.
    var authorities: [[UInt8]] = []
    /// The host that the client has named; empty: none, or it is not known.
    var host: [UInt8] = []
    /// The target that the server got.
    var target: [UInt8] = []
    /// What the client's target had before that.
    var prefix: StrippedPrefix?
    /// Scheme, host and port by which clients come; empty: as they have named them.
    var publicOrigin: [UInt8] = []
    /// The client came by https, or perhaps: to a proxy in front.
    var mayBeSecure = false

    /// An authority without its port.
    static func name(of authority: [UInt8]) -> [UInt8] {
        if authority.first == UInt8(ascii: "["), let end = authority.firstIndex(of: UInt8(ascii: "]")) {
            return Array(authority[...end])
        }
        return Array(authority.prefix { $0 != UInt8(ascii: ":") })
    }

    /// What the client gets for a reference of the server; nil: what the server has written.
    func published(_ reference: [UInt8]) -> [UInt8]? {
        guard let path = OwnReference.path(reference, authorities: authorities) else { return nil }
        let restored = prefix?.restored(path, asked: target) ?? path
        if OwnReference.isPath(reference) { return restored == path ? nil : restored }
        if !publicOrigin.isEmpty {
            let whole = publicOrigin + restored
            return whole == reference ? nil : whole
        }
        return restored == path && isPublic(reference) ? nil : restored
    }

    /// Whether an absolute reference leads a client to where it came to.
    private func isPublic(_ reference: [UInt8]) -> Bool {
        let schemes = mayBeSecure ? ["https://"] : ["https://", "http://"]
        return schemes.contains { scheme in
            let start = Array(scheme.utf8)
            guard reference.count >= start.count + host.count, !host.isEmpty,
                reference.prefix(start.count).elementsEqual(start, by: { $0.lowercased == $1 })
            else { return false }
            let rest = reference[start.count...]
            guard rest.prefix(host.count).elementsEqual(host, by: { $0.lowercased == $1.lowercased }) else {
                return false
            }
            let end = rest.dropFirst(host.count).first
            return end == nil || [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(end)
        }
    }
}

extension ResponseHead {
    /// Few responses point a client at another place: 201 and redirects.
    @inline(__always)
    var mayPointElsewhere: Bool { status != 200 && (status == 201 || status / 100 == 3) }
}
