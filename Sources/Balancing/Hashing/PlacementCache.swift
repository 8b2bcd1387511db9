/// Remembers where keys were placed, so that a client that comes again costs no pass over the servers. Direct-mapped and
/// bounded: a key that falls on another's place takes it.
struct PlacementCache: Sendable {
    private struct Line: Sendable {
        var key: UInt64 = 0
        var epoch: UInt32 = 0
        var position: Int32 = -1
    }

    /// With fewer servers a pass costs less than it is worth.
    private static var minimumServers: Int { 16 }
    private static var lineCount: Int { 1_024 }

    private var lines: [Line]
    /// Lines of another epoch are empty.
    private var epoch: UInt32 = 1

    /// A cache for an upstream of so many servers: empty and without memory if they are few.
    init(servers: Int) {
        lines = Array(repeating: Line(), count: servers < Self.minimumServers ? 0 : Self.lineCount)
    }

    func isWorthwhile(for servers: Int) -> Bool { !lines.isEmpty && servers >= Self.minimumServers }

    func position(of key: UInt64) -> Int32? {
        let line = lines[index(of: key)]
        return line.key == key && line.epoch == epoch ? line.position : nil
    }

    mutating func insert(_ position: Int32, for key: UInt64) {
        lines[index(of: key)] = Line(key: key, epoch: epoch, position: position)
    }

    /// Forgets every key.
    mutating func removeAll() {
        epoch &+= 1
        guard epoch == 0 else { return }
        for index in lines.indices { lines[index] = Line() }
        epoch = 1
    }

    private func index(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: SplitMix64.avalanche(key) & UInt64(Self.lineCount - 1))
    }
}
