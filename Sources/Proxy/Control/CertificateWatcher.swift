import Kernel
import Logging
import Synchronization
import TLS

/// Looks at the files of all certificates, the listeners' and those for servers, and hands workers the new contexts.
///
/// On a thread of its own: a file system that hangs delays no request and no health check. It looks rather than being
/// told: what is replaced may be a link, a link to a link, or a folder above them.
final class CertificateWatcher: Sendable {
    /// Milliseconds between two looks.
    private static var pause: CInt { 250 }

    private let listeners: [(plan: Int, tls: ReloadingTLS)]
    private let upstreams: [(index: Int, tls: ReloadingClientTLS)]
    private let write: @Sendable (WorkerMessage) -> Delivery
    private let counts: CertificateCounts
    private let log: Logger
    private let wake: Wake
    private let isStopped = Atomic(false)

    /// What came of giving a message to all workers that it concerns.
    enum Delivery { case delivered, incomplete }

    /// Nil if there are no files to look at. `write` gives a message to all workers that it concerns; if one of them
    /// could not take it, it is called again, and all get the message.
    init?(
        _ snapshot: Snapshot, counts: CertificateCounts, log: Logger,
        write: @escaping @Sendable (WorkerMessage) -> Delivery
    ) throws(SystemError) {
        listeners = snapshot.listeners.enumerated().compactMap { plan, listener in
            listener.reloadingTLS.map { (plan, $0) }
        }
        upstreams = snapshot.upstreams.compactMap { upstream in
            guard let tls = upstream.reloadingTLS, !tls.files.paths.isEmpty else { return nil }
            return (Int(upstream.id.slot), tls)
        }
        guard !listeners.isEmpty || !upstreams.isEmpty else { return nil }
        self.counts = counts
        self.log = log
        self.write = write
        wake = try Wake()
    }

    func start() throws(SystemError) {
        try Thread(named: "certificates") { [self] in run() }.detach()
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }

    private func run() {
        var (listeners, upstreams) = (listeners, upstreams)
        // By plan and by upstream: a newer context takes the place of one that could not be delivered yet.
        var (served, shown): ([Int: WorkerMessage], [Int: WorkerMessage]) = ([:], [:])
        var stale: Set<Int> = []
        while !isStopped.load(ordering: .acquiring) {
            let now = Int64(WallClock.seconds())
            for index in listeners.indices {
                let plan = listeners[index].plan
                if let context = changed(listeners[index].tls.check(at: now)) {
                    log.notice("serving a new certificate", metadata: Self.metadata(context.certificates.first))
                    served[plan] = .certificates(listener: plan, context)
                }
                warnOfStaleResponse(of: listeners[index].tls.context, plan, &stale, at: now)
            }
            for index in upstreams.indices {
                if let context = changed(upstreams[index].tls.check(at: now)) {
                    log.notice("new certificates for servers", metadata: Self.metadata(context.certificate))
                    let upstream = upstreams[index].index
                    shown[upstream] = .upstreamCertificates(upstream: upstream, context)
                }
            }
            served = served.filter { write($0.value) == .incomplete }
            shown = shown.filter { write($0.value) == .incomplete }
            wake.sleep(milliseconds: Self.pause)
        }
    }

    private func changed<Files>(_ change: ReloadingFiles<Files>.Change) -> Files.Context? {
        switch change {
        case .none: return nil
        case .renewed(let context):
            counts.noteRenewed()
            return context
        case .refused(let error):
            counts.noteRefused()
            log.error("a new version of a certificate's files cannot be used, what it was before stays: \(error)")
            return nil
        }
    }

    /// Says once that an OCSP response is out of date: it was to be replaced in time.
    private func warnOfStaleResponse(of context: TLSContext, _ plan: Int, _ stale: inout Set<Int>, at now: Int64) {
        let problem = context.staples.lazy.compactMap { $0?.problem(at: now) }.first
        if let problem, !stale.contains(plan) {
            log.warning("an OCSP response is not shown to clients: \(problem)")
        }
        if problem == nil { stale.remove(plan) } else { stale.insert(plan) }
    }

    private static func metadata(_ certificate: CertificateFacts?) -> Logger.Metadata {
        guard let certificate else { return [:] }
        return ["subject": "\(certificate.subject)", "expires": "\(certificate.expiry)"]
    }
}

/// What has become of the files of certificates since the start.
package final class CertificateCounts: Sendable {
    private let state = Mutex((renewed: 0, refused: 0))

    /// New versions that were taken up, and new versions that could not be.
    package var totals: (renewed: Int, refused: Int) { state.withLock { $0 } }

    func noteRenewed() { state.withLock { $0.renewed += 1 } }

    func noteRefused() { state.withLock { $0.refused += 1 } }
}
