/// The key by which the `ipHash` policy places a client.
package enum AddressKey {
    /// The key of an address of 16 bytes, of which `high` is the first half and `low` the second.
    ///
    /// All of an IPv4 address counts; it is the last four bytes of `low`. Of an IPv6 address the network prefix counts, the
    /// first 64 bits: a host chooses the others itself, and changes them daily (RFC 8981).
    package static func key(high: UInt64, low: UInt64, isIPv4: Bool) -> UInt64 {
        SplitMix64.avalanche(isIPv4 ? low & 0xFFFF_FFFF : SplitMix64.avalanche(high))
    }
}
