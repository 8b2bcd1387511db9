import Kernel
import Logging
import Synchronization

/// Looks the names of servers up again and again, and tells workers what has changed. No worker waits for a name server,
/// and no name for another that takes long.
final class NameWatcher: Sendable {
    /// A server that is known by a name.
    private struct Named {
        let id: ServerID
        let name: String
        let host: String
        let port: UInt16
        var addresses: [SocketAddress]
        /// Its name had no address when it was looked up last.
        var isLost = false
    }

    private struct State {
        var servers: [Named] = []
        /// What has not reached all workers yet.
        var undelivered: [ServerID: WorkerMessage] = [:]
    }

    private let state: Mutex<State>
    private let names: NameLookup
    private let write: @Sendable (WorkerMessage) -> Bool
    private let log: Logger
    private let search: NameSearch
    private let thread: WatchThread

    /// Watches the names of a snapshot's servers, which must be registered. `write` gives a message to all workers; false if
    /// one could not take it, which is then tried again.
    init(
        _ snapshot: Snapshot, names: NameLookup, log: Logger, write: @escaping @Sendable (WorkerMessage) -> Bool
    ) throws(SystemError) {
        state = Mutex(State(servers: Self.named(snapshot)))
        self.names = names
        self.log = log
        self.write = write
        search = try NameSearch(names)
        thread = try WatchThread(named: "names")
    }

    private static func named(_ snapshot: Snapshot) -> [Named] {
        snapshot.servers.compactMap { server in
            server.host.map { host in
                Named(id: server.id, name: server.name, host: host, port: server.port, addresses: server.addresses)
            }
        }
    }

    /// The last good addresses of each name, whatever their port.
    var addresses: [String: [SocketAddress]] {
        state.withLock { state in
            Dictionary(state.servers.map { ($0.host, $0.addresses) }, uniquingKeysWith: { first, _ in first })
                .filter { !$0.value.isEmpty }
        }
    }

    /// Starts to look, if any server has a name.
    func start() throws(SystemError) {
        guard !(state.withLock { $0.servers.isEmpty }) else { return }
        try thread.start { [self] in
            lookUp()
            return CInt(clamping: names.interval.nanoseconds / 1_000_000)
        }
    }

    func stop() { thread.stop() }

    /// Watches nothing: what workers were told before is all that they are told.
    func pause() { state.withLock { $0 = State() } }

    /// Watches the names of another snapshot's servers, which must be registered.
    func resume(with snapshot: Snapshot) throws(SystemError) {
        state.withLock { $0 = State(servers: Self.named(snapshot)) }
        try start()
    }

    private func lookUp() {
        let hosts = state.withLock { state in
            for server in state.servers.indices where state.servers[server].addresses.isEmpty {
                noteLost(&state.servers[server])
            }
            return Set(state.servers.map(\.host))
        }
        guard !hosts.isEmpty else { return }
        search.begin(hosts)
        // A name that takes longer is looked at in a later round, and keeps its addresses until then.
        search.wait(within: names.interval)
        let found = search.take()
        state.withLock { state in
            for index in state.servers.indices {
                guard let addresses = found[state.servers[index].host] else { continue }
                let id = state.servers[index].id
                if let addresses = changed(&state.servers[index], addresses) {
                    state.undelivered[id] = .addresses(id, addresses)
                }
            }
            state.undelivered = state.undelivered.filter { !write($0.value) }
        }
    }

    /// The addresses of a server if they are not what they were. Without any, the last ones stay: a name server that is down
    /// says nothing about the servers. Another order is no change: many name servers rotate it.
    private func changed(_ server: inout Named, _ found: [SocketAddress]) -> [SocketAddress]? {
        guard !found.isEmpty else {
            noteLost(&server)
            return nil
        }
        server.isLost = false
        let addresses = found.prefix(ServerPlan.maximumAddresses).map { $0.at(port: server.port) }
        guard Set(addresses) != Set(server.addresses) else { return nil }
        server.addresses = addresses
        let list = addresses.map(\.description).joined(separator: ", ")
        log.notice("server \(server.name) is at \(list) now")
        return addresses
    }

    /// Says once that a name has no address.
    private func noteLost(_ server: inout Named) {
        guard !server.isLost else { return }
        server.isLost = true
        let consequence =
            server.addresses.isEmpty ? "the server is down until it does" : "its last addresses are used until it does"
        log.warning("the name of server \(server.name) does not resolve; \(consequence)")
    }
}
