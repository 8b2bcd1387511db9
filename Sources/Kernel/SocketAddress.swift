package import CLinux
import Glibc

/// An IPv4 or IPv6 address with its port, 24 bytes by value.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes of the IPv6 address, the first one the highest; 0 of an IPv4 address.
    public let high: UInt64
    /// The last eight bytes; of an IPv4 address a.b.c.d, those of ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
    public let low: UInt64
    /// The TCP port in host byte order.
    public let port: UInt16
    /// The address is IPv4, which ::ffff:a.b.c.d counts as.
    public let isIPv4: Bool

    /// An address from its halves as the properties describe them.
    public init(high: UInt64, low: UInt64, port: UInt16, isIPv4: Bool) {
        self.high = high
        self.low = low
        self.port = port
        self.isIPv4 = isIPv4
    }

    /// An IPv4 address from its 32 bits, the first octet the highest.
    public static func ipv4(_ address: UInt32, port: UInt16) -> SocketAddress {
        SocketAddress(high: 0, low: 0xffff_0000_0000 | UInt64(address), port: port, isIPv4: true)
    }

    /// 127.0.0.1.
    public static func loopback(port: UInt16) -> SocketAddress {
        .ipv4(0x7f00_0001, port: port)
    }

    /// Parses "127.0.0.1" or "::1" (without brackets); nil for anything else, host names included.
    public init?(literal: String, port: UInt16) {
        // inet_pton would stop at a NUL and accept what stands before it.
        guard !literal.utf8.contains(0) else { return nil }
        var four = in_addr()
        if inet_pton(AF_INET, literal, &four) == 1 {
            self = .ipv4(UInt32(bigEndian: four.s_addr), port: port)
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, literal, &six) == 1 else { return nil }
        self = SocketAddress(six, port: port)
    }

    /// Parses what `description` writes: "127.0.0.1:80", "[::1]:80"; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.init(literal: String(host.dropFirst().dropLast()), port: port)
        } else if host.contains(":") {
            return nil
        } else {
            self.init(literal: String(host), port: port)
        }
    }

    private init(_ six: in6_addr, port: UInt16) {
        let halves = unsafeBitCast(six, to: (UInt64, UInt64).self)
        let high = UInt64(bigEndian: halves.0)
        let low = UInt64(bigEndian: halves.1)
        // ::ffff:a.b.c.d is how a dual-stack listener shows an IPv4 peer.
        self.init(high: high, low: low, port: port, isIPv4: high == 0 && low >> 32 == 0xffff)
    }

    /// Reads the kernel's form; nil if it is neither IPv4 nor IPv6.
    package init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch CInt(storage.ss_family) {
        case AF_INET:
            let address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in.self) }
            self = .ipv4(UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in6.self) }
            self = SocketAddress(address.sin6_addr, port: UInt16(bigEndian: address.sin6_port))
        default:
            return nil
        }
    }

    /// The kernel's form, with its length in bytes.
    package var storage: (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        if isIPv4 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in.self) }
            return (storage, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: address, as: sockaddr_in6.self) }
        return (storage, socklen_t(MemoryLayout<sockaddr_in6>.size))
    }

    /// The address without its port or brackets: "127.0.0.1", "::1".
    public var host: String {
        if isIPv4 {
            return (0..<4).map { String((low >> (24 - 8 * $0)) & 255) }.joined(separator: ".")
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        var address = unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
        inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// "127.0.0.1:80", "[::1]:80".
    public var description: String {
        isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }

    /// The TCP addresses of a host name or literal in the resolver's order, each once; empty if there are none. Blocks, for
    /// many seconds at worst, so no worker may call it.
    public static func resolve(host: String, port: UInt16) -> [SocketAddress] {
        if let literal = SocketAddress(literal: host, port: port) { return [literal] }
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(
                    from: UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen)))
            }
            if let address = SocketAddress(storage), !found.contains(address) { found.append(address) }
            next = entry.pointee.ai_next
        }
        return found
    }
}
