/// What operators have ordered of servers since the start: it holds until the order is taken back or the process ends, whatever
/// the configuration says. Servers are named `upstream/host:port`.
package struct ServerOrders: Equatable, Sendable {
    /// They keep their sessions and get no new ones.
    package var drained: Set<String> = []
    /// They get no work at all.
    package var disabled: Set<String> = []
    /// Their shares of new work, 1...1000, in place of those of the configuration.
    package var weights: [String: Int32] = [:]

    /// Nothing was ordered.
    package init() {}
}

extension Snapshot {
    /// Gives its servers these orders, and no others. Weights are those of the configuration before.
    package mutating func apply(_ orders: ServerOrders) {
        for index in servers.indices {
            let path = path(of: servers[index])
            servers[index].isOrderedToDrain = orders.drained.contains(path)
            servers[index].isDisabled = orders.disabled.contains(path)
            servers[index].orderedWeight = orders.weights[path]
        }
    }
}
