/// A block of IP addresses such as 10.0.0.0/8.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// The upper 64 bits of the first address.
    package let high: UInt64
    /// The lower 64 bits of the first address; IPv4 as ::ffff:a.b.c.d.
    package let low: UInt64
    /// The prefix length: 0...32 for IPv4, 0...128 for IPv6.
    package let prefix: UInt8
    /// Whether it is a block of IPv4 addresses.
    package let isIPv4: Bool
    /// The block as the file writes it.
    package let description: String

    package init(high: UInt64, low: UInt64, prefix: UInt8, isIPv4: Bool, description: String) {
        self.high = high
        self.low = low
        self.prefix = prefix
        self.isIPv4 = isIPv4
        self.description = description
    }

    /// Whether an address, in the same 128-bit form, is in the block.
    package func contains(high otherHigh: UInt64, low otherLow: UInt64) -> Bool {
        let bits = isIPv4 ? 96 + UInt64(prefix) : UInt64(prefix)
        let highMask: UInt64 = bits >= 64 ? .max : ~(.max >> bits)
        let lowMask: UInt64 = bits >= 128 ? .max : bits <= 64 ? 0 : ~(.max >> (bits - 64))
        return (high ^ otherHigh) & highMask == 0 && (low ^ otherLow) & lowMask == 0
    }

    package static func == (left: AddressRange, right: AddressRange) -> Bool {
        left.high == right.high && left.low == right.low && left.prefix == right.prefix && left.isIPv4 == right.isIPv4
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
        hasher.combine(prefix)
    }
}
