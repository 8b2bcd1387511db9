import Kernel

/// How much a server may say in interim responses (RFC 9110 section 15.2) before it gives the real one: 64 KiB at once,
/// and 8 KiB in each second of the exchange, 32 MiB in all. Each counts as 512 bytes at least, so that small ones are 128
/// at once and 16 in a second.
struct InterimBudget {
    /// Units of 512 bytes that were spent.
    private var spent: UInt16 = 0

    private static var unitBytes: Int { 512 }
    private static var burstUnits: UInt64 { 128 }
    private static var unitsPerSecond: UInt64 { 16 }

    /// Whether there was any.
    var isUsed: Bool { spent > 0 }

    /// Spends a response of so many bytes, `elapsed` after the exchange began. False if that is too much.
    mutating func spend(_ bytes: Int, elapsed: Interval) -> Bool {
        let units = UInt64(bytes / Self.unitBytes + 1)
        let total = UInt64(spent) + units
        spent = UInt16(clamping: total)
        let allowed = Self.burstUnits + elapsed.nanoseconds / 1_000_000_000 * Self.unitsPerSecond
        return total <= min(allowed, UInt64(UInt16.max))
    }
}
