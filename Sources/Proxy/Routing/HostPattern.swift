import HTTP
import Reactor

/// A host that requests are compared with: a name, or an IP address.
struct HostPattern: Sendable {
    /// Lower case, without a port and the root's dot, an IPv6 address in brackets.
    let text: [UInt8]
    /// The host, if it is an IPv6 address: those are compared as numbers.
    private let address: IPv6Literal?

    init(_ text: [UInt8]) {
        self.text = text
        guard text.count > 2, text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") else {
            address = nil
            return
        }
        address = IPv6Literal(text.span, 1..<text.count - 1)
    }

    /// The host of a configuration, where an IPv6 address has no brackets.
    init(configured name: String) {
        self.init(Array((name.contains(":") ? "[\(name)]" : name).lowercased().utf8))
    }

    /// Whether an authority in `buffer`, with or without a port, is this host.
    func matches(_ authority: Range<Int>, in buffer: borrowing ByteBuffer) -> Bool {
        guard let address else { return isName(authority, in: buffer) }
        // It may be spelled in many ways (RFC 4291 section 2.2).
        let bytes = buffer.span
        guard let first = authority.first, bytes[first] == UInt8(ascii: "[") else { return false }
        var end = first + 1
        while end < authority.upperBound, bytes[end] != UInt8(ascii: "]") { end += 1 }
        return IPv6Literal(bytes, first + 1..<end) == address
    }

    /// Compares without the port and the root's dot, and without regard to case.
    private func isName(_ authority: Range<Int>, in buffer: borrowing ByteBuffer) -> Bool {
        let bytes = buffer.span
        guard authority.count >= text.count else { return false }
        for index in text.indices {
            var byte = bytes[authority.lowerBound + index]
            if byte >= 0x41, byte <= 0x5a { byte |= 0x20 }
            if byte != text[index] { return false }
        }
        var end = authority.lowerBound + text.count
        if end < authority.upperBound, bytes[end] == UInt8(ascii: ".") { end += 1 }
        return end == authority.upperBound || bytes[end] == UInt8(ascii: ":")
    }
}
