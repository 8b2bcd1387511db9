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
                let element = Self.trimBlanks(part)
                // Empty elements do not count (RFC 9110 section 5.6.1.2).
                guard !element.isEmpty else { continue }
                guard let address = Self.parseAddress(element) else { return nearest }
                nearest = address
                if !clients.trusts(address, listener) { return address }
            }
        }
        return nearest
    }

    private func text(_ range: ByteRange) -> String {
        String(decoding: io.received.bytes(range.range), as: UTF8.self)
    }

    /// Parses "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "::ffff:192.0.2.1", "[2001:db8::1]" and "[2001:db8::1]:4711";
    /// nil for anything else. The port is left out.
    private static func parseAddress(_ element: Substring) -> SocketAddress? {
        if element.first == "[" {
            guard let end = element.firstIndex(of: "]") else { return nil }
            let rest = element[element.index(after: end)...]
            guard rest.isEmpty || isPort(rest) else { return nil }
            return SocketAddress(literal: String(element[..<end].dropFirst()), port: 0)
        }
        // An IPv6 address has two colons at least.
        guard let colon = element.firstIndex(of: ":"), colon == element.lastIndex(of: ":") else {
            return SocketAddress(literal: String(element), port: 0)
        }
        guard isPort(element[colon...]) else { return nil }
        return SocketAddress(literal: String(element[..<colon]), port: 0)
    }

    /// Whether the text is a colon and decimal digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.count > 1 && text.first == ":" && text.utf8.dropFirst().allSatisfy { $0 &- 0x30 < 10 }
    }

    /// The element without the spaces and tabs around it (RFC 9110 section 5.6.3).
    private static func trimBlanks(_ element: Substring) -> Substring {
        var text = element.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
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
