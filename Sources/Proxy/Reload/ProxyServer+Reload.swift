import Caching
import Configuration
import Discovery
import Kernel
import Reactor
import Synchronization
import TLS

/// A running proxy takes a new snapshot over.
extension ProxyServer {
    /// How long workers may take to work by a new snapshot: each does so within one turn.
    private static var adoptionTime: Interval { .seconds(10) }

    /// How long a source of servers that is new may take.
    private static var discoveryTime: Interval { .seconds(5) }

    /// The run-time form of a configuration that is to follow the one in force: sessions, tickets and addresses that are
    /// known stay known. `secrets` are other ones than before; nil: the same. May block for seconds if names are new.
    func snapshot(of configuration: Configuration, secrets: SessionSecrets?) throws(StartError) -> Snapshot {
        let discovered = try discovery?.found(configuration.discoveryPlans, within: Self.discoveryTime) ?? [:]
        let old = snapshot
        let secrets = secrets ?? watchers.secrets?.secrets
        var new = try Snapshot(
            configuration, keys: secrets?.keys ?? old.keys, tickets: secrets?.tickets, names: watchers.lookup,
            known: watchers.names.addresses, learned: old.learned, sessionTable: old.sessionTable,
            rateLimits: old.rateLimits, stores: old.stores, discovered: discovered)
        try new.addAdminListeners(configuration.global)
        return new
    }

    /// Has all workers work by `snapshot`, and returns when they do. What it has in common with the one in force keeps
    /// connections, streams, pools, sessions, health and counters. Listeners that are new are opened first: if one cannot be, the
    /// error says why and nothing changes. Those that are gone close without a reset. The snapshot gets the keys that are in use,
    /// or those of other `secrets`, which are watched then. One thread at a time may call it.
    package func adopt(_ snapshot: Snapshot, secrets: SessionSecrets? = nil) throws(StartError) {
        try isUpgrading.withLock { (isUpgrading) throws(StartError) in
            guard !isUpgrading else { throw StartError("an upgrade is under way") }
            try change(to: snapshot, secrets)
        }
    }

    private func change(to snapshot: Snapshot, _ secrets: SessionSecrets?) throws(StartError) {
        guard !isDraining else { throw StartError("the process is draining") }
        var new = snapshot
        try table.register(&new)
        let (old, present) = current.withLock { ($0.snapshot, $0.sockets) }
        new.keepContexts(of: old)
        new.keepCaches(of: old)
        new.keepStores(of: old)
        new.shareTokens(with: old.auths, verifier: old.verifier)
        new.addresses = old.addresses
        new.connectionOpens = old.connectionOpens ?? new.connectionOpens
        var sockets = present
        let added = new.listeners.filter { !present.contains($0.id) }
        try sockets.open(added)
        sockets.retain(only: new.listeners.map(\.id))
        let gate: StartGate
        do throws(SystemError) { gate = try StartGate() } catch {
            throw StartError("cannot wait for workers: \(error)")
        }
        watchers.pause()
        let post = { (keys: [SigningKey]) in
            new.keys = keys
            self.current.withLock { $0 = Current(snapshot: new, sockets: sockets) }
            for index in self.mailboxes.indices {
                let own = sockets.sockets(ofWorker: index, isControl: index == self.workers, of: added.map(\.id))
                self.mailboxes[index].postAlways(.snapshot(new, sockets: own, gate: gate))
            }
        }
        if let watcher = watchers.secrets { watcher.handOver(secrets, post) } else { post(new.keys) }
        let failure = gate.wait(for: mailboxes.count, within: Self.adoptionTime)
        do throws(SystemError) {
            try watchers.resume(with: new)
        } catch {
            throw StartError("cannot watch files and names: \(error)")
        }
        publishNames()
        if let failure { throw failure }
        try logs.apply(new.logs)
        try tracing.apply(new.trace)
    }
}

extension Snapshot {
    /// Goes on with the client contexts of upstreams whose files are the same, so that TLS sessions with their servers
    /// can be resumed.
    fileprivate mutating func keepContexts(of old: Snapshot) {
        for index in upstreams.indices {
            guard let own = upstreams[index].reloadingTLS,
                let known = old.upstreams.first(where: { $0.id == upstreams[index].id })?.reloadingTLS,
                own.isSame(as: known)
            else { continue }
            upstreams[index].reloadingTLS = known
        }
    }

    /// Goes on with the stores that are configured as before, their connections and what is counted of them.
    fileprivate mutating func keepStores(of old: Snapshot) {
        let known = old.stores
        func kept(_ store: SharedStore) -> SharedStore? { known.first { $0.configuration == store.configuration } }
        for index in upstreams.indices {
            let name = upstreams[index].name
            if let own = upstreams[index].sharing, let store = kept(own.store) {
                upstreams[index].sharing = SessionSharing(store, wait: own.wait, upstream: name)
            }
            if let own = upstreams[index].records, let store = kept(own.store) {
                upstreams[index].records = RecordSharing(own, in: store)
            }
            if let cache = upstreams[index].cache, let own = cache.sharing, let store = kept(own.store) {
                let sharing = AnswerSharing(store, wait: own.wait, upstream: name)
                upstreams[index].cache = UpstreamCache(cache.answers.rules, sharing: sharing)
            }
        }
    }

    /// Goes on with the answers of upstreams whose rules for keeping them are the same.
    fileprivate mutating func keepCaches(of old: Snapshot) {
        for index in upstreams.indices {
            guard let own = upstreams[index].cache,
                let known = old.upstreams.first(where: { $0.id == upstreams[index].id })?.cache,
                own.isSame(as: known)
            else { continue }
            upstreams[index].cache = known
        }
    }
}
