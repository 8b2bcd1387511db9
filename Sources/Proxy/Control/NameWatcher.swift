import Kernel
import Logging
import Synchronization

/// Looks the names of servers up again and again, and tells workers what has changed.
///
/// On threads of its own: no worker waits for a name server, and no name for another that takes long.
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

    private let servers: [Named]
    private let names: NameLookup
    private let write: @Sendable (WorkerMessage) -> Bool
    private let log: Logger
    private let wake: Wake
    private let search: NameSearch
    private let isStopped = Atomic(false)

    /// Nil if no server of the snapshot, which must be registered, has a name. `write` gives a message to all workers; false if
    /// one could not take it, which is then tried again.
    init?(
        _ snapshot: Snapshot, names: NameLookup, log: Logger, write: @escaping @Sendable (WorkerMessage) -> Bool
    ) throws(SystemError) {
        servers = snapshot.servers.compactMap { server in
            server.host.map { host in
                Named(id: server.id, name: server.name, host: host, port: server.port, addresses: server.addresses)
            }
        }
        guard !servers.isEmpty else { return nil }
        self.names = names
        self.log = log
        self.write = write
        wake = try Wake()
        search = try NameSearch(names)
    }

    func start() throws(SystemError) {
        try Thread(named: "names") { [self] in run() }.detach()
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }

    private func run() {
        var servers = servers
        var undelivered: [ServerID: WorkerMessage] = [:]
        for server in servers.indices where servers[server].addresses.isEmpty { noteLost(&servers[server]) }
        while !isStopped.load(ordering: .acquiring) {
            wake.sleep(milliseconds: CInt(clamping: names.interval.nanoseconds / 1_000_000))
            search.begin(Set(servers.map(\.host)))
            // A name that takes longer is looked at in a later round, and keeps its addresses until then.
            search.wait(within: names.interval)
            let found = search.take()
            for index in servers.indices {
                guard let addresses = found[servers[index].host] else { continue }
                if let addresses = changed(&servers[index], addresses) {
                    undelivered[servers[index].id] = .addresses(servers[index].id, addresses)
                }
            }
            undelivered = undelivered.filter { !write($0.value) }
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
