/// Sizes as they are written: "512B", "64KiB", "8MiB", "1GiB", "1TiB", or a plain number of bytes.
enum ByteSizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// Nil for anything else; letter case counts.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let name = text.dropFirst(digits.count)
        guard let count = Int(digits), let unit = units.first(where: { $0.name == name }) else { return nil }
        let (bytes, tooLarge) = count.multipliedReportingOverflow(by: unit.bytes)
        return tooLarge ? nil : bytes
    }

    /// In the largest unit that leaves no fraction.
    static func text(_ bytes: Int) -> String {
        guard bytes != 0, let unit = units.first(where: { bytes % $0.bytes == 0 }) else { return "0B" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }

    /// What "8M", "64k", "8MB" or "8 mib" was probably meant to be.
    static func correction(of text: String) -> String? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let rest = text.dropFirst(digits.count).trimmingBlanks().uppercased()
        guard !digits.isEmpty, let letter = rest.first, "KMGTB".contains(letter) else { return nil }
        guard [1, 2, 3].contains(rest.count), rest == "B" || rest.dropFirst().allSatisfy({ $0 == "I" || $0 == "B" })
        else { return nil }
        return letter == "B" ? "\(digits)B" : "\(digits)\(letter)iB"
    }
}
