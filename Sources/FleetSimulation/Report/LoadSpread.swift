/// How evenly something is spread over servers.
package struct LoadSpread: Equatable, Sendable, Codable {
    /// Mean over the servers.
    package var mean = 0.0
    /// The server with most, as a multiple of the mean.
    package var maximum = 0.0
    /// What 99 of 100 servers have at most, as a multiple of the mean.
    package var p99 = 0.0
    /// The server with least, as a multiple of the mean.
    package var minimum = 0.0

    /// The spread of counts, one a server; all zero if there are none.
    init(_ counts: [Int32]) {
        let sorted = counts.sorted()
        let total = sorted.reduce(0) { $0 + Int($1) }
        guard total > 0, let most = sorted.last, let least = sorted.first else { return }
        mean = Double(total) / Double(sorted.count)
        maximum = Double(most) / mean
        minimum = Double(least) / mean
        p99 = Double(sorted[(sorted.count * 99 + 99) / 100 - 1]) / mean
    }
}
