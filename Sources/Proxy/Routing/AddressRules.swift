package import Configuration

/// Whose requests are served, by the client's address: of the blocks that have it the longest prefix decides.
package struct AddressRules: Sendable {
    private struct Rule {
        let block: AddressRange
        /// Leading bits that count, of 128.
        let bits: Int
        let isAllowed: Bool
    }

    /// The longest prefix first; of equal blocks, the one that is denied.
    private let rules: [Rule]
    /// Addresses in no block are served.
    private let allowsOthers: Bool
    /// Everybody is served. Stored: every request asks for it.
    package let isOpen: Bool

    /// Serves everybody.
    package init() {
        rules = []
        allowsOthers = true
        isOpen = true
    }

    /// The rules of a configuration. Where something is allowed, all else is denied.
    package init(_ access: AccessConfiguration) {
        let blocks = access.denied.map { ($0, false) } + access.allowed.map { ($0, true) }
        rules = blocks.map { block, isAllowed in
            Rule(block: block, bits: Int(block.prefix) + (block.isIPv4 ? 96 : 0), isAllowed: isAllowed)
        }.sorted { ($0.bits, $1.isAllowed ? 1 : 0) > ($1.bits, $0.isAllowed ? 1 : 0) }
        allowsOthers = access.allowed.isEmpty
        isOpen = access.isOpen
    }

    /// Whether requests of an address are served: its halves, an IPv4 address a.b.c.d as ::ffff:a.b.c.d (RFC 4291 section
    /// 2.5.5.2). A block of IPv6 addresses has those only if all of it is theirs: "::/0" is not said of them.
    package func admits(high: UInt64, low: UInt64, isIPv4: Bool) -> Bool {
        for rule in rules where rule.block.contains(high: high, low: low) && (!isIPv4 || rule.bits >= 96) {
            return rule.isAllowed
        }
        return allowsOthers
    }
}
