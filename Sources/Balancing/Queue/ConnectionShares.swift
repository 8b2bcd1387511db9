/// How many of a server's connections each key has, as far as that matters: a key that took all of them before the others
/// came would starve them, however fair the queue is.
///
/// The first connections of a server are for whoever asks. Of those beyond, a key may have as many as are still free, by
/// the dynamic thresholds of Choudhury and Hahne (1998): one greedy key takes half of them, a second one a quarter, and
/// some are always left for a newcomer. Only connections beyond the first are counted here, so nothing is counted where
/// there are plenty.
package struct ConnectionShares: Sendable {
    private struct Holder: Hashable {
        var key: UInt64
        var server: Int32
    }

    private var counts: [Holder: Int32] = [:]
    private var holders: [UInt32: Holder] = [:]

    /// Nobody has anything.
    package init() {}

    /// Connections that are counted.
    package var count: Int { holders.count }

    /// Whether a key may have one more of the counted connections to a server.
    ///
    /// - Parameters:
    ///   - free: Connections to the server that may still be used, over all workers.
    ///   - workers: Workers that count for themselves: a key may come to each of them.
    package func mayTake(_ key: UInt64, of server: Int, free: Int64, workers: Int) -> Bool {
        let held = Int64(counts[Holder(key: key, server: Int32(truncatingIfNeeded: server))] ?? 0)
        return held < max(1, free / Int64(max(1, workers)))
    }

    /// An exchange of a key, named by its slot, has a counted connection from here on. It has none yet.
    package mutating func take(_ key: UInt64, of server: Int, by exchange: UInt32) {
        let holder = Holder(key: key, server: Int32(truncatingIfNeeded: server))
        precondition(holders.updateValue(holder, forKey: exchange) == nil, "an exchange has one connection")
        counts[holder, default: 0] += 1
    }

    /// An exchange parts from its connection; nothing happens if that was not counted.
    package mutating func release(by exchange: UInt32) {
        guard let holder = holders.removeValue(forKey: exchange), let count = counts[holder] else { return }
        counts[holder] = count > 1 ? count - 1 : nil
    }
}
