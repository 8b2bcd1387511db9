import Balancing
package import Discovery
package import Kernel
package import Logging
import Reactor
import Synchronization
import TLS
package import Telemetry

/// A running proxy: its workers, a thread each, and the control thread for health checks and admin pages. Start it once.
package final class ProxyServer: Sendable {
    /// What all workers count, with a row for the control thread, which comes last.
    package let metrics: Metrics
    /// When the listeners were opened, for the uptime on the admin pages.
    package let startedAt = Instant.now()
    /// What has become of the files of certificates.
    package let certificates = CertificateCounts()

    /// Where workers put finished calls, and what wants them gets them.
    package let calls: CallFeed
    /// The access log and its like.
    package let logs: CallLogs
    /// The spans of calls.
    package let tracing: CallTracing

    let table: ServerTable
    /// Threads that carry traffic.
    let workers: Int
    /// What the workers work by, and the sockets they have.
    let current: Mutex<Current>
    let mailboxes: [Mailbox<WorkerMessage>]
    let watchers: Watchers
    /// Finds servers of upstreams that say where; nil: nobody does.
    package let discovery: ServiceDiscovery?
    /// Rung when another process should be told what has changed.
    package let changes: Wake
    /// Whether the listeners are being handed to another process: until then they may change, and afterwards not.
    let isUpgrading = Mutex(false)
    let handover = Handover()
    /// The files of Unix sockets that it listens at.
    private let socketFiles: [SocketFile]
    private let gate: StartGate
    private let log: Logger
    private let left = Mutex(0)
    private let isDrainingFlag = Atomic(false)
    private let hasControlLeft = Atomic(false)

    /// The snapshot in force, and the listeners' sockets.
    struct Current {
        var snapshot: Snapshot
        var sockets: ListeningSockets
    }

    /// Opens the listeners. `workers` threads carry traffic; at least 1. `secrets` are what the snapshot was made with, if
    /// they are to be renewed while the proxy runs. `names` looks the servers' names up again, and `discovery` finds more of them.
    /// `sockets` are taken in place of new ones, and what `predecessor` knew is taken over.
    package init(
        snapshot: Snapshot, workers: Int, log: Logger, secrets: SessionSecrets? = nil, names: NameLookup = .system,
        version: String = "unknown", inheriting sockets: InheritedSockets = InheritedSockets(),
        from predecessor: HandoverState? = nil, discovery: ServiceDiscovery? = nil
    ) throws(StartError) {
        self.workers = max(1, workers)
        self.log = log
        self.discovery = discovery
        metrics = Metrics(workers: self.workers + 1, servers: snapshot.serverCapacity)
        table = ServerTable(metrics)
        var snapshot = snapshot
        if let predecessor { table.reserve(predecessor) }
        try table.register(&snapshot)
        table.dropReservations()
        do throws(SystemError) {
            gate = try StartGate()
            calls = try CallFeed(workers: self.workers + 1) { $0.write(to: log) }
            changes = try Wake()
            mailboxes = try (0...self.workers).mapThrowing { _ throws(SystemError) in try Mailbox(limit: 1_024) }
            watchers = try Watchers(
                snapshot, workers: mailboxes, secrets: secrets, names: names, certificates: certificates,
                metrics: metrics.view, log: log)
        } catch {
            throw StartError("cannot start: \(error)")
        }
        logs = CallLogs(calls) { $0.write(to: log) }
        tracing = CallTracing(calls, version: version) { log.warning("\($0)") }
        let sockets = try ListeningSockets(snapshot.listeners, workers: self.workers, inherited: sockets)
        current = Mutex(Current(snapshot: snapshot, sockets: sockets))
        socketFiles = snapshot.listeners.compactMap(\.socketPath).compactMap { SocketFile(at: $0) }
        publishNames()
        if let predecessor { restore(predecessor) }
    }

    /// The snapshot in force, its servers registered.
    package var snapshot: Snapshot { current.withLock { $0.snapshot } }

    /// Where the listeners ended up, in the snapshot's order; kernel-chosen ports filled in.
    package var addresses: [SocketAddress] {
        current.withLock { current in
            current.snapshot.listeners.map { current.sockets.address(of: $0.id) ?? $0.address }
        }
    }

    /// Starts all threads and returns when every one of them accepts. If one cannot, all leave, every socket is closed and
    /// the error says why. `admin` answers the admin listeners.
    package func start(admin: AdminHandler? = nil) throws(StartError) {
        var started = 0
        var failure: StartError?
        do throws(SystemError) {
            while started <= workers {
                let index = started
                let thread = try Thread(named: index == workers ? "control" : "worker-\(index)") { [self] in
                    run(index, admin: admin)
                }
                thread.detach()
                started += 1
            }
        } catch {
            failure = StartError("cannot start a thread: \(error)")
        }
        let refusal = gate.wait(for: started)
        do throws(SystemError) {
            if failure == nil, refusal == nil { try watchers.start() }
        } catch {
            failure = StartError("cannot start a thread: \(error)")
        }
        guard let reason = failure ?? refusal else {
            try logs.apply(snapshot.logs)
            return try tracing.apply(snapshot.trace)
        }
        abandonStart(threads: started)
        throw reason
    }

    /// Has the threads that run leave, and closes the sockets of those that never did.
    private func abandonStart(threads: Int) {
        stop()
        let deadline = Instant.now() + .seconds(5)
        let pause = try? Wake()
        while left.withLock({ $0 }) < threads, Instant.now() < deadline { pause?.sleep(milliseconds: 1) }
        for index in threads..<max(threads, workers + 1) {
            current.withLock { $0.sockets.close(worker: index, isControl: index == workers) }
        }
    }

    private func run(_ index: Int, admin: AdminHandler?) {
        let isControl = index == workers
        do {
            var worker = try makeWorker(index, admin: isControl ? admin : nil)
            let sockets = current.withLock { $0.sockets.sockets(ofWorker: index, isControl: isControl) }
            let isListening = worker.listen(on: sockets)
            gate.report(isListening ? nil : StartError("a worker cannot watch its sockets"))
            while !worker.isDone { worker.turn() }
            worker.stopListening()
            worker.endAdminStreams()
        } catch {
            current.withLock { $0.sockets.close(worker: index, isControl: isControl) }
            gate.report(StartError("a worker cannot start: \(error)"))
        }
        if isControl { hasControlLeft.store(true, ordering: .relaxed) }
        left.withLock { $0 += 1 }
    }

    /// `drain` or `announceDrain` was called; it stays true even if that drain was cancelled. Any thread may ask.
    package var isDraining: Bool { isDrainingFlag.load(ordering: .relaxed) }

    private func makeWorker(_ index: Int, admin: AdminHandler?) throws -> Worker<Linux> {
        try Worker(
            world: try Linux(), snapshot: snapshot, index: index, metrics: metrics, mailbox: mailboxes[index],
            peers: mailboxes.prefix(workers).enumerated().filter { $0.offset != index }.map(\.element),
            trafficWorkers: workers, healthChecks: index == workers, admin: admin, log: log,
            ring: calls.ring(ofWorker: index))
    }

    /// How a drain ended.
    package enum DrainResult: Sendable {
        /// Everything had finished.
        case finished
        /// The time was up, or the caller cancelled it: what is left is cut.
        case timedOut
    }

    /// Says that the process is about to drain: it accepts and serves as before, and is not ready any more, so that a load
    /// balancer in front sends new clients elsewhere.
    package func announceDrain() { isDrainingFlag.store(true, ordering: .relaxed) }

    /// Stops accepting and lets what is under way finish; at most for the snapshot's drain timeout. Blocks until the
    /// workers have left or the time is up. `isCancelled` is asked again and again and should itself wait a little; true
    /// ends the drain.
    @discardableResult
    package func drain(orUntil isCancelled: () -> Bool) -> DrainResult {
        isDrainingFlag.store(true, ordering: .relaxed)
        for mailbox in mailboxes.prefix(workers) { mailbox.postAlways(.drain) }
        let deadline = Instant.now() + snapshot.drainTimeout
        defer { endHealthChecks() }
        while left.withLock({ $0 }) < workers {
            if Instant.now() >= deadline || isCancelled() { return .timedOut }
        }
        return .finished
    }

    /// Has the control thread end the sessions that servers keep for the health checks, and leave. Waits for a second at
    /// most.
    private func endHealthChecks() {
        mailboxes[workers].postAlways(.endHealthChecks)
        let deadline = Instant.now() + .seconds(1)
        let pause = try? Wake()
        while !hasControlLeft.load(ordering: .relaxed), Instant.now() < deadline { pause?.sleep(milliseconds: 1) }
    }

    /// Removes the files of its Unix sockets: nobody can connect there any more. Only for a process that no other has taken the
    /// place of.
    package func removeSocketFiles() {
        for file in socketFiles { file.remove() }
    }

    /// Makes all threads leave as soon as they see it. Streams of the admin address end.
    package func stop() {
        watchers.stop()
        discovery?.stop()
        calls.stop(within: Interval(nanoseconds: 0))
        for mailbox in mailboxes { mailbox.postAlways(.stop) }
    }
}

extension Sequence {
    /// `map` with the error's type kept.
    fileprivate func mapThrowing<T, E: Error>(_ transform: (Element) throws(E) -> T) throws(E) -> [T] {
        var mapped: [T] = []
        for element in self { mapped.append(try transform(element)) }
        return mapped
    }
}
