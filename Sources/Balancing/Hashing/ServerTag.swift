/// The name of a server in 64 bits: FNV-1a over its configured address, then mixed.
///
/// It is written into the session ids that clients hold, and every proxy of a fleet computes it for itself: it depends on
/// the address as configured and on nothing else, and it must never change.
package enum ServerTag {
    /// The tag of an address as it is written in the configuration, such as `mcp-1:3001`.
    package static func tag(of address: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in address.indices { hash = (hash ^ UInt64(address[index])) &* 0x100_0000_01B3 }
        return SplitMix64.avalanche(hash)
    }

    /// The tag of an address given as text.
    package static func tag(of address: String) -> UInt64 {
        tag(of: address.utf8.span)
    }
}
