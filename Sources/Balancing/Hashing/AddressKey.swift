/// What ip-hash places a client by.
package enum AddressKey {
    /// The key of an address: all of an IPv4 address, which stands in the last four bytes of `low`, and the first half
    /// of an IPv6 address, as a host picks the other half itself and changes it daily.
    package static func key(high: UInt64, low: UInt64, isIPv4: Bool) -> UInt64 {
        SplitMix64.avalanche(isIPv4 ? low & 0xFFFF_FFFF : SplitMix64.avalanche(high))
    }
}
