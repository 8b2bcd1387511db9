import Kernel
import Reactor
import TLS
import Telemetry

/// What other threads tell a worker, and how it takes a new snapshot over.
extension Worker where Outside: ~Copyable {
    /// Does what other threads have asked for since the last turn.
    mutating func processMailbox() {
        guard let mailbox = inbox.mailbox else { return }
        for message in mailbox.collect() {
            switch message {
            case .capacityFreedElsewhere: servers.hasFreedCapacity = true
            case .idleEvictionRequested(let server): evictIdle(server)
            case .claimTransferred(let server): receiveClaim(server)
            case .streamSuperseded(let session): probeSupersededStream(session)
            case .sessionForgotten(let session):
                endStreams(of: session.key)
                countEnd(session.ended)
            case .serverDown(let server): endExchanges(of: server)
            case .snapshot(let snapshot, let sockets, let gate):
                adopt(snapshot)
                let isListening = listen(on: sockets)
                gate?.report(isListening ? nil : StartError("a worker cannot watch its sockets"))
            case .addresses(let server, let addresses): moveServer(server, to: addresses)
            case .ejectionOrdered(let server, let end): followEjectionOrder(server, until: end)
            case .toolAnnotations(let server, let tools): adopt(tools, of: server)
            case .answersFetched(let waiting): exchanges.caching.waking += waiting
            case .tokenJudged(let judgement): noteJudgement(judgement)
            case .answersPurged(let cache, let methods):
                if let sharing = cache.sharing { for method in methods { outdateStored(method, sharing) } }
            case .keys(let keys):
                snapshot.keys = keys
                sessions.adopt(snapshot, metrics.writer)
            case .adminResponse(let exchange, let response): respondAdmin(exchange, response)
            case .adminPiece(let stream, let piece): sendAdmin(stream, piece)
            case .listenersTaken(let descriptors): leaveListeners(descriptors)
            case .drain: drain()
            case .endStreams: endStreams()
            case .endHealthChecks: endHealthChecks()
            case .lagProbe(let sentAt): metrics.noteLag(clock.now - sentAt)
            case .stop: lifecycle.isDone = true
            case .certificates(let listener, let context): replaceCertificates(context, listener: listener)
            case .upstreamCertificates(let upstream, let context):
                servers.replaceCertificates(context, upstream: upstream)
            }
        }
    }

    /// Works by `new` from here on. Servers that it names and that were known keep connections, pools, sessions, health and
    /// counters; the others get nothing new, and their idle connections close, as do those to an address that a server has
    /// no longer. Exchanges under way go on with what they have. So do listeners: those that are known keep sockets and
    /// connections and get new rules; those that are gone keep their connections.
    mutating func adopt(_ new: Snapshot) {
        let lease = snapshot.lease
        snapshot = new
        exchanges.countsCalls = new.countsCalls
        servers.adopt(new, now: clock.now)
        servers.seedSelections(metrics)
        noteAddedServers()
        sessions.adopt(new, metrics.writer)
        // Rules for names may have changed.
        exchanges.caching.known = KnownRequests()
        if lifecycle.isDraining { closeListeners() } else { adoptListeners() }
        if let lease, hasRetiredInUse { servers.retire(lease) }
        endListenStreams()
        closeUnusedStores()
        closeObsoleteConnections()
        updateHealthChecks()
        // What waits may have a new server to go to, or none any more.
        servers.hasFreedCapacity = true
        clock.scheduleHousekeeping(at: clock.now)
    }

    /// Servers that the snapshot has added begin with a part of their share.
    private mutating func noteAddedServers() {
        for server in servers.added where metrics.load(.returnedAt, server: server) == 0 { noteReturn(server) }
        servers.added = []
        metrics.writer.noteHealthChange()
    }

    /// Servers or listeners that are not in the configuration any more still have connections here.
    private var hasRetiredInUse: Bool {
        servers.hasRetiredInUse || clients.listeners.contains { !$0.isOpen && !$0.isFree }
    }

    /// Lets the leases of earlier snapshots go when nothing of what they keep is in use any more.
    mutating func releaseRetired() {
        if servers.hasRetired, !hasRetiredInUse { servers.releaseRetired() }
    }

    /// Closes parked connections that no exchange may use any more.
    mutating func closeObsoleteConnections() {
        for slot in 0..<upstreams.slots {
            guard let connection = upstreams.handle(inSlot: slot), upstreams[connection].phase == .parked else {
                continue
            }
            if isObsolete(connection) { closeUpstream(connection) }
        }
    }

    /// Whether a connection is to a server that is not configured any more, or to an address that the server had earlier.
    func isObsolete(_ connection: Handle) -> Bool {
        let server = Int(upstreams[connection].server)
        return servers[server].isRetired || upstreams[connection].openedAt < servers[server].addressSince
    }
}
