/// What is left of a lingering close: bytes that are still read and thrown away, and how often its time is renewed.
///
/// A client that uploads reads the answer only when it has sent everything, and closing before that resets the connection
/// under the answer (RFC 9112 section 9.6). So the close waits as long as the upload goes on, within these bounds.
struct LingerBudget: Equatable {
    /// Kibibytes in the low 24 bits, renewals in the others: it is kept in a field that lingering clients do not need.
    private(set) var packed: UInt32

    /// 64 MiB, and half a minute to a minute.
    static let full = LingerBudget(kibibytes: 65_536, renewals: 30)

    init(packed: UInt32) { self.packed = packed }

    private init(kibibytes: UInt32, renewals: UInt32) { packed = renewals << 24 | kibibytes }

    /// So many bytes came and were thrown away. Each piece costs a kibibyte at least.
    mutating func spend(bytes: Int) -> Claim {
        let kibibytes = packed & 0xff_ffff
        let price = UInt32(clamping: max(1, bytes >> 10))
        guard price < kibibytes else {
            packed &= 0xff00_0000
            return .exhausted
        }
        packed -= price
        return .granted
    }

    /// The time is to run anew.
    mutating func renew() -> Claim {
        guard packed >> 24 > 0 else { return .exhausted }
        packed -= 1 << 24
        return .granted
    }

    /// Whether the budget had what was asked of it.
    enum Claim { case granted, exhausted }
}
