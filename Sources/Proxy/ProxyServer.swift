import Balancing
package import Kernel
package import Logging
import Reactor
import Synchronization
import TLS
package import Telemetry

/// A running proxy: its workers, a thread each, and the control thread for health checks and admin pages. Start it once.
package final class ProxyServer: Sendable {
    /// The snapshot that the server was started with, its servers registered. A reload gives workers another one.
    package let snapshot: Snapshot
    /// What all workers count, with a row for the control thread, which comes last.
    package let metrics: Metrics
    /// Where the listeners ended up, in the snapshot's order; kernel-chosen ports filled in.
    package let addresses: [SocketAddress]
    /// When the listeners were opened, for the uptime on the admin pages.
    package let startedAt = Instant.now()
    /// What has become of the files of certificates.
    package let certificates = CertificateCounts()

    private let table: ServerTable
    private let workers: Int
    private let sockets: [[Descriptor]]
    private let mailboxes: [Mailbox<WorkerMessage>]
    private let log: Logger
    private let watcher: CertificateWatcher?
    private let left = Mutex(0)
    private let isDrainingFlag = Atomic(false)

    /// Opens the listeners. `workers` threads carry traffic; at least 1.
    package init(snapshot: Snapshot, workers: Int, log: Logger) throws(StartError) {
        self.workers = max(1, workers)
        self.log = log
        metrics = Metrics(workers: self.workers + 1, servers: max(4_096, 4 * snapshot.servers.count))
        table = ServerTable(metrics)
        var snapshot = snapshot
        try table.register(&snapshot)
        self.snapshot = snapshot
        var opened: [[Descriptor]] = []
        var bound: [SocketAddress] = []
        do throws(SystemError) {
            mailboxes = try (0...self.workers).mapThrowing { _ throws(SystemError) in try Mailbox(limit: 1_024) }
        } catch {
            throw StartError("cannot start: \(error)")
        }
        for plan in snapshot.listeners {
            do throws(SystemError) {
                let (descriptors, address) = try ProxyServer.open(plan, count: plan.role == .admin ? 1 : self.workers)
                opened.append(descriptors)
                bound.append(address)
            } catch {
                throw StartError("cannot listen on \(plan.address): \(error)")
            }
        }
        sockets = opened
        addresses = bound
        let (all, traffic) = (mailboxes, mailboxes.prefix(self.workers))
        do throws(SystemError) {
            watcher = try CertificateWatcher(snapshot, counts: certificates, log: log) { message in
                // Health checks speak TLS to servers, and the control thread makes them.
                let readers = if case .certificates = message { traffic } else { all[...] }
                return readers.reduce(.delivered) { $1.post(message) ? $0 : .incomplete }
            }
        } catch {
            throw StartError("cannot watch certificates: \(error)")
        }
    }

    private static func open(
        _ plan: ListenerPlan, count: Int
    ) throws(SystemError) -> ([Descriptor], SocketAddress) {
        var address = plan.address
        var descriptors: [Descriptor] = []
        for _ in 0..<count {
            // Our own workers share the address; another process that has it is an error, not a partner.
            let descriptor = try Socket.listen(on: address, shared: count > 1, tcp: plan.tcp)
            descriptors.append(descriptor)
            if let local = Socket.localAddress(descriptor) { address = local }
        }
        return (descriptors, address)
    }

    /// `drain` was called; it stays true even if that drain was cancelled. Any thread may ask.
    package var isDraining: Bool { isDrainingFlag.load(ordering: .relaxed) }

    /// Starts all threads and returns. `admin` answers the admin listeners.
    package func start(admin: AdminHandler? = nil) throws(StartError) {
        for index in 0...workers {
            do throws(SystemError) {
                let thread = try Thread(named: index == workers ? "control" : "worker-\(index)") { [self] in
                    run(index, admin: admin)
                }
                thread.detach()
            } catch {
                throw StartError("cannot start a thread: \(error)")
            }
        }
        do throws(SystemError) {
            try watcher?.start()
        } catch {
            throw StartError("cannot start a thread: \(error)")
        }
    }

    private func run(_ index: Int, admin: AdminHandler?) {
        let isControl = index == workers
        do {
            var worker = try Worker(
                world: try Linux(), snapshot: snapshot, index: index, metrics: metrics, mailbox: mailboxes[index],
                peers: mailboxes.prefix(workers).enumerated().filter { $0.offset != index }.map(\.element),
                trafficWorkers: workers, healthChecks: isControl, admin: isControl ? admin : nil, log: log)
            for (plan, listener) in snapshot.listeners.enumerated() {
                if (listener.role == .admin) == isControl {
                    worker.listen(on: sockets[plan][isControl ? 0 : index], plan: plan)
                }
            }
            while !worker.isDone { worker.turn() }
        } catch {
            log.critical("a worker could not start: \(error)")
        }
        left.withLock { $0 += 1 }
    }

    /// How a drain ended.
    package enum DrainResult: Sendable {
        /// Everything had finished.
        case finished
        /// The time was up, or the caller cancelled it: what is left is cut.
        case timedOut
    }

    /// Stops accepting and lets what is under way finish; at most for the snapshot's drain timeout. Blocks until the
    /// workers have left or the time is up. `isCancelled` is asked again and again and should itself wait a little; true
    /// ends the drain.
    @discardableResult
    package func drain(orUntil isCancelled: () -> Bool) -> DrainResult {
        isDrainingFlag.store(true, ordering: .relaxed)
        for mailbox in mailboxes.prefix(workers) { mailbox.post(.drain) }
        let deadline = Instant.now() + snapshot.drainTimeout
        while left.withLock({ $0 }) < workers {
            if Instant.now() >= deadline || isCancelled() { return .timedOut }
        }
        return .finished
    }

    /// Makes all threads leave as soon as they see it.
    package func stop() {
        watcher?.stop()
        for mailbox in mailboxes { mailbox.post(.stop) }
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
