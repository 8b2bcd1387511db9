/// How far a connection has got in its server's addresses: the index of one of them, and how many were tried. Both fit
/// four bits, for there are at most 15.
struct AddressCursor {
    private var bits: UInt8

    /// At the first address, which was not tried yet.
    init() { bits = 0 }

    /// At an address that is the first, or one of several, to be tried.
    init(index: Int, tried: Int) {
        bits = UInt8(truncatingIfNeeded: index & 15) | UInt8(truncatingIfNeeded: min(tried, 15)) << 4
    }

    var index: Int { Int(bits & 15) }
    /// This one counted.
    var tried: Int { Int(bits >> 4) }
}
