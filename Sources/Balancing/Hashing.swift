/// Spreads the bits of a number.
enum Mix {
    /// A bijection in which every bit in changes about half of the bits out (the finaliser of splitmix64).
    static func avalanche(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The name of an endpoint in 64 bits.
///
/// It is written into the session ids that clients hold, and every Berth of a fleet computes it for itself: it depends
/// on the address as configured and on nothing else, and it must never change. FNV-1a over the bytes, then mixed.
package enum EndpointTag {
    /// The tag of an address as it is written in the configuration, such as `mcp-1:3001`.
    package static func tag(of address: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in address.indices { hash = (hash ^ UInt64(address[index])) &* 0x100_0000_01B3 }
        return Mix.avalanche(hash)
    }

    /// The same for text.
    package static func tag(of address: String) -> UInt64 {
        tag(of: address.utf8.span)
    }
}

/// What ip-hash places a client by.
package enum AddressKey {
    /// The key of an address: all of an IPv4 address, which stands in the last four bytes of `low`, and the first half
    /// of an IPv6 address, as a host picks the other half itself and changes it daily.
    package static func key(high: UInt64, low: UInt64, isIPv4: Bool) -> UInt64 {
        Mix.avalanche(isIPv4 ? low & 0xFFFF_FFFF : Mix.avalanche(high))
    }
}
