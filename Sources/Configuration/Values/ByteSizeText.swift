/// Sizes as the file writes them: "512B", "64KiB", "8MiB", "1GiB", "1TiB", or a plain number of bytes.
package enum ByteSizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// The number of bytes; nil for other text. Case-sensitive.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let count = Int(digits), let unit = units.first(where: { $0.name == name }) else { return nil }
        let (bytes, tooLarge) = count.multipliedReportingOverflow(by: unit.bytes)
        return tooLarge ? nil : bytes
    }

    /// The size in the largest unit without a fraction.
    package static func text(_ bytes: Int) -> String {
        guard bytes != 0, let unit = units.first(where: { bytes % $0.bytes == 0 }) else { return "0B" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    /// The probable meaning of "8M", "64k", "8MB" or "8 mib".
    static func correction(of text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let rest = text.dropFirst(digits.count).trimmingBlanks().uppercased()
        guard !digits.isEmpty, let prefix = rest.first, "KMGTB".contains(prefix) else { return nil }
        guard [1, 2, 3].contains(rest.count), rest == "B" || rest.dropFirst().allSatisfy({ $0 == "I" || $0 == "B" })
        else { return nil }
        return prefix == "B" ? "\(digits)B" : "\(digits)\(prefix)iB"
    }
}
