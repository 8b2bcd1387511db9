/// The open sessions of a fleet, a column for each thing that is known of them.
struct SessionColumns: Sendable {
    /// The server that has it.
    var server: [Int32]
    /// The Berth that its client's requests come to.
    var berth: [UInt16]
    /// The Berth that it was opened through, which alone can recover it.
    var opener: [UInt16]
    /// A hash of its id, or what its client's address is placed by.
    var key: [UInt64]

    init(count: Int) {
        server = Array(repeating: -1, count: count)
        berth = Array(repeating: 0, count: count)
        opener = Array(repeating: 0, count: count)
        key = Array(repeating: 0, count: count)
    }

    var count: Int { server.count }

    /// What a session is beside its place, drawn from bits of its key that nothing else uses.
    enum Trait: UInt64 {
        case isBusy = 0
        case hasStream = 16
        case isStateful = 32
    }

    /// Whether a session is one of the share that has a trait.
    func has(_ trait: Trait, _ session: Int, share: Double) -> Bool {
        let bits = (RandomNumbers.mixed(key[session] &+ 0x5EED) >> trait.rawValue) & 0xFFFF
        return Double(bits) < share * 65_536
    }
}
