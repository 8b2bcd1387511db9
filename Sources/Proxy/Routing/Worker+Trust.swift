import Configuration
import HTTP
import Kernel
import Reactor

/// Whom to believe about where a request comes from.
extension Worker where Outside: ~Copyable {
    /// The client's address for ip-hash: the peer's own, or, where the peer is a trusted proxy, the last address in
    /// X-Forwarded-For that is not one. The head must be parsed and at the front of the scratch.
    func clientAddress(_ client: Handle) -> SocketAddress {
        let peer = clients[client].address
        let listener = clients.listener(of: client)
        guard clients.trusts(peer, listener) else { return peer }
        var nearest = peer
        for index in (0..<io.requestHead.fields.count).reversed()
        where io.requestHead.fields[index].kind == .xForwardedFor {
            let value = text(io.requestHead.fields[index].value)
            for part in value.split(separator: ",").reversed() {
                guard let address = Self.parseAddress(part) else { return nearest }
                nearest = address
                if !clients.trusts(address, listener) { return address }
            }
        }
        return nearest
    }

    private func text(_ range: ByteRange) -> String {
        String(decoding: io.received.bytes(range.range), as: UTF8.self)
    }

    /// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711".
    private static func parseAddress(_ part: Substring) -> SocketAddress? {
        var host = part.drop { $0 == " " }
        while host.last == " " { host.removeLast() }
        if host.first == "[" {
            guard let end = host.firstIndex(of: "]") else { return nil }
            host = host[host.index(after: host.startIndex)..<end]
        } else if host.contains("."), let colon = host.firstIndex(of: ":") {
            host = host[..<colon]
        }
        return SocketAddress(literal: String(host), port: 0)
    }
}

extension SocketAddress {
    /// Appends the address without its port, as X-Forwarded-For has it.
    func appendHost(to buffer: inout ByteBuffer) {
        guard isIPv4 else {
            buffer.append(host)
            return
        }
        buffer.append(dotted: UInt32(truncatingIfNeeded: low))
    }
}
