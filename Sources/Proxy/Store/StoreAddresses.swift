import Kernel
import Synchronization

/// Where a store is, by its name: what was found last. It is looked up on a thread of its own when a connection could not be made
/// or was lost, for a failover moves the name.
final class StoreAddresses: Sendable {
    private struct State {
        var found: [SocketAddress]
        var isLooking = false
        /// Not looked up before.
        var nextLookup = Instant(nanoseconds: 0)
    }

    private let host: String
    private let port: UInt16
    private let names: NameLookup
    private let state: Mutex<State>
    private let isLiteral: Bool

    /// The time from one look-up to the next, at least.
    private static var pause: Interval { .milliseconds(100) }

    /// `found`: the addresses of the name so far, with any port.
    init(host: String, port: UInt16, found: [SocketAddress], names: NameLookup) {
        self.host = host
        self.port = port
        self.names = names
        let literal = SocketAddress(literal: host, port: port)
        isLiteral = literal != nil
        state = Mutex(State(found: literal.map { [$0] } ?? Self.list(found, port)))
    }

    private static func list(_ found: [SocketAddress], _ port: UInt16) -> [SocketAddress] {
        found.prefix(ServerPlan.maximumAddresses).map { $0.at(port: port) }
    }

    /// The addresses that are known now, which are alternatives; empty as long as the name does not resolve.
    var current: [SocketAddress] { state.withLock { $0.found } }

    /// Begins to look the name up, unless that is under way or was done a moment ago. Nobody waits for it; a name that does not
    /// resolve keeps its addresses.
    func lookUp(at now: Instant) {
        guard !isLiteral else { return }
        let isWanted = state.withLock { state in
            guard !state.isLooking, now >= state.nextLookup else { return false }
            state.isLooking = true
            state.nextLookup = now + Self.pause
            return true
        }
        guard isWanted else { return }
        let thread = try? Thread(named: "names") { [self] in
            let found = names.addresses(host)
            state.withLock { state in
                state.isLooking = false
                if !found.isEmpty { state.found = Self.list(found, port) }
            }
        }
        guard let thread else {
            state.withLock { $0.isLooking = false }
            return
        }
        thread.detach()
    }
}
