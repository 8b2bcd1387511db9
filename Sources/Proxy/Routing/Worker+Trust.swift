import ASCII
import Configuration
import HTTP
import Kernel
import Reactor

/// Whom to believe about where a request comes from.
extension Worker where Outside: ~Copyable {
    /// The client's address: the peer's own, or, where the peer is a trusted proxy, that of the field it has for this, or the
    /// last address in X-Forwarded-For that is not one. The head must be parsed and at the front of the scratch.
    func clientAddress(_ client: Handle) -> SocketAddress {
        let peer = clients[client].address
        let listener = clients.listener(of: client)
        guard clients.trusts(peer, listener) else { return peer }
        if !clients.listeners[listener].plan.trustedHeader.isEmpty { return namedAddress(listener) ?? peer }
        var nearest = peer
        for index in (0..<io.requestHead.fields.count).reversed()
        where io.requestHead.fields[index].kind == .xForwardedFor {
            var rest = io.requestHead.fields[index].value.range
            while let element = ForwardedAddress.takeLast(of: &rest, in: io.received.span) {
                guard let address = ForwardedAddress.parse(io.received.span.extracting(element)) else { return nearest }
                nearest = address
                if !clients.trusts(address, listener) { return address }
            }
        }
        return nearest
    }

    /// The address in the field that a listener's trusted proxies have for it; nil if there is none, or it can be read in two
    /// ways.
    private func namedAddress(_ listener: Int) -> SocketAddress? {
        let name = clients.listeners[listener].plan.trustedHeader
        var found: SocketAddress?
        for index in 0..<io.requestHead.fields.count where !io.requestHead.fields[index].isHopByHop {
            guard nameMatch(io.requestHead.fields[index].name.range, name) == .exact else { continue }
            let value = io.requestHead.fields[index].value.range
            guard found == nil, let address = ForwardedAddress.parse(io.received.span.extracting(value)) else {
                return nil
            }
            found = address
        }
        return found
    }

    /// Drops what only a trusted peer may say in the listener's field for the client's address, and what passes for it.
    /// Returns the address if the peer is trusted and names one; what else says it is dropped then.
    mutating func namedSource(_ client: Handle, isTrusted: Bool) -> SocketAddress? {
        let listener = clients.listener(of: client)
        let name = clients.listeners[listener].plan.trustedHeader
        let source = isTrusted ? namedAddress(listener) : nil
        for index in 0..<io.requestHead.fields.count {
            let isDropped =
                switch nameMatch(io.requestHead.fields[index].name.range, name) {
                case .exact: !isTrusted
                case .lookalike: true
                case .none: source != nil && io.requestHead.fields[index].kind == .xRealIP
                }
            if isDropped { io.requestHead.fields[index].isHopByHop = true }
        }
        return source
    }

    private enum NameMatch { case exact, lookalike, none }

    /// Whether a field has the name of the listener's own, or passes for it: with underscores for hyphens, as some servers
    /// read names.
    private func nameMatch(_ field: Range<Int>, _ name: [UInt8]) -> NameMatch {
        guard field.count == name.count else { return .none }
        var match = NameMatch.exact
        let bytes = io.received.span
        for index in name.indices {
            let byte = bytes[field.lowerBound + index].lowercased
            if byte == name[index] { continue }
            guard byte == UInt8(ascii: "_"), name[index] == UInt8(ascii: "-") else { return .none }
            match = .lookalike
        }
        return match
    }
}

/// Addresses as proxies write them down.
enum ForwardedAddress {
    /// Parses "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "::ffff:192.0.2.1", "[2001:db8::1]" and "[2001:db8::1]:4711";
    /// nil for anything else. The port is left out.
    static func parse(_ text: Span<UInt8>) -> SocketAddress? {
        guard !text.isEmpty else { return nil }
        if text[0] == UInt8(ascii: "[") {
            var end = 1
            while end < text.count, text[end] != UInt8(ascii: "]") { end += 1 }
            guard end < text.count, end + 1 == text.count || isPort(text, from: end + 1) else { return nil }
            return ipv6(text, 1..<end)
        }
        var colons = 0
        var first = text.count
        for index in text.indices where text[index] == UInt8(ascii: ":") {
            colons += 1
            first = min(first, index)
        }
        // An IPv6 address has two colons at least.
        if colons > 1 { return ipv6(text, 0..<text.count) }
        guard colons == 0 || isPort(text, from: first), let address = IPv4Literal(text, 0..<first) else { return nil }
        return .ipv4(address.bits, port: 0)
    }

    private static func ipv6(_ text: Span<UInt8>, _ range: Range<Int>) -> SocketAddress? {
        guard let address = IPv6Literal(text, range) else { return nil }
        let isIPv4 = address.high == 0 && address.low >> 32 == 0xffff
        return SocketAddress(high: address.high, low: address.low, port: 0, isIPv4: isIPv4)
    }

    /// Whether the rest of the text is a colon and decimal digits.
    private static func isPort(_ text: Span<UInt8>, from start: Int) -> Bool {
        guard start + 1 < text.count, text[start] == UInt8(ascii: ":") else { return false }
        for index in start + 1..<text.count where !text[index].isDigit { return false }
        return true
    }

    /// Takes the last element off a list, without the spaces and tabs around it (RFC 9110 section 5.6.3); nil if there is
    /// none. Empty elements do not count (section 5.6.1.2).
    static func takeLast(of list: inout Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
        var end = list.upperBound
        while end > list.lowerBound {
            var start = end
            while start > list.lowerBound, bytes[start - 1] != UInt8(ascii: ",") { start -= 1 }
            let element = bytes.withoutBlanks(start..<end)
            end = max(list.lowerBound, start - 1)
            if !element.isEmpty {
                list = list.lowerBound..<end
                return element
            }
        }
        list = list.lowerBound..<list.lowerBound
        return nil
    }
}

extension Span where Element == UInt8 {
    /// A range without the spaces and tabs at its ends.
    fileprivate func withoutBlanks(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return start..<end
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
