import Configuration

/// Who may connect, by address: blocks that are allowed and denied, of which the smallest that has an address decides.
struct AccessList: Equatable {
    var allowed: [AddressBlock] = []
    var denied: [AddressBlock] = []

    var isEmpty: Bool { allowed.isEmpty && denied.isEmpty }

    /// Whether nobody may.
    var deniesAll: Bool { allowed.isEmpty && denied.contains { $0.bits == 0 } }

    /// The list for rules of which the first that has an address decides. A rule within an earlier one is never reached and
    /// left out; then the smallest block that has an address is also the first. Who is in none is allowed.
    init(rules: [Rule] = []) {
        var taken: [AddressBlock] = []
        for rule in rules where !taken.contains(where: { $0.covers(rule.block) }) {
            taken.append(rule.block)
            if rule.isAllowed { allowed.append(rule.block) } else { denied.append(rule.block) }
        }
    }

    struct Rule: Equatable {
        var block: AddressBlock
        var isAllowed: Bool
    }

    /// The longest list of rules that is looked at.
    static let maximumRules = 1_000
}

/// A block of addresses of one family.
struct AddressBlock: Equatable {
    let address: IPAddressText
    /// Leading bits that count, of 32 or 128.
    let bits: Int

    /// All addresses of both families.
    static let everything = [AddressBlock("0.0.0.0/0"), AddressBlock("::/0")].compactMap { $0 }

    /// "10.0.0.0/8", "10.0.0.7", "fd00::/8". Bits that do not count are cleared.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddressText(String(parts[0])) else { return nil }
        let width = address.isIPv4 ? 32 : 128
        guard let bits = parts.count == 1 ? width : Int(parts[1]), (0...width).contains(bits) else { return nil }
        self.bits = bits
        self.address = Self.first(of: address, bits: bits)
    }

    private static func first(of address: IPAddressText, bits: Int) -> IPAddressText {
        let counted = address.isIPv4 ? bits + 96 : bits
        let high: UInt64 = counted >= 64 ? .max : ~(.max >> UInt64(counted))
        let low: UInt64 = counted >= 128 ? .max : counted <= 64 ? 0 : ~(.max >> UInt64(counted - 64))
        return IPAddressText(high: address.high & high, low: address.low & low, isIPv4: address.isIPv4)
    }

    func covers(_ other: AddressBlock) -> Bool {
        guard address.isIPv4 == other.address.isIPv4, bits <= other.bits else { return false }
        return Self.first(of: other.address, bits: bits) == address
    }

    /// As Berth writes it.
    var text: String {
        let width = address.isIPv4 ? 32 : 128
        return bits == width ? address.text : "\(address.text)/\(bits)"
    }
}
