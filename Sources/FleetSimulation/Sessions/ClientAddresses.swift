import Balancing

/// The addresses that clients are seen with. Many clients share one: an office, a mobile network or a cloud of agents is a
/// single address behind its NAT. The n-th most frequent address has a share in proportion to n to the power of -3/4, a
/// distribution of Zipf's kind: of a million addresses the first has 0.6 % of all sessions, and half of all sessions come
/// from one address in sixteen.
///
/// The exponent is an assumption; it was chosen so that square roots are enough, which every machine computes alike.
struct ClientAddresses: Sendable {
    /// How many there are.
    let count: Int
    /// The fourth root of one more than the count.
    private let root: Double

    init(sessions: Int, each: Int) {
        count = max(1, sessions / each)
        root = Double(count + 1).squareRoot().squareRoot()
    }

    /// A session's address, from a number in 0..<1: 0 is the most frequent one.
    func rank(_ unit: Double) -> Int {
        // The share of the ranks below x is (x^(1/4) - 1) / (count^(1/4) - 1).
        let fourthRoot = 1 + unit * (root - 1)
        let square = fourthRoot * fourthRoot
        return min(count, max(1, Int(square * square))) - 1
    }

    /// What the `ipHash` policy places the session by.
    func key(_ unit: Double) -> UInt64 {
        AddressKey.key(high: 0, low: 0x0A00_0000 + UInt64(rank(unit)), isIPv4: true)
    }
}
