import Kernel
import Logging
import Synchronization
import TLS

/// Looks at the files of all certificates, the listeners' and those for servers, and hands workers the new contexts.
///
/// It looks rather than being told: what is replaced may be a link, a link to a link, or a folder above them.
final class CertificateWatcher: Sendable {
    /// What is looked at, and what has not reached all workers yet: a newer context takes the place of one that has not.
    private struct State {
        var listeners: [(id: ServerID, tls: ReloadingTLS)] = []
        var upstreams: [(slot: Int, tls: ReloadingClientTLS)] = []
        var served: [ServerID: WorkerMessage] = [:]
        var shown: [Int: WorkerMessage] = [:]
        /// Listeners whose OCSP response is known to be out of date.
        var stale: Set<ServerID> = []

        init() {}

        init(_ snapshot: Snapshot) {
            listeners = snapshot.listeners.compactMap { listener in listener.reloadingTLS.map { (listener.id, $0) } }
            upstreams = snapshot.upstreams.compactMap { upstream in
                guard let tls = upstream.reloadingTLS, !tls.files.paths.isEmpty else { return nil }
                return (Int(upstream.id.slot), tls)
            }
        }

        var isEmpty: Bool { listeners.isEmpty && upstreams.isEmpty }
    }

    private let state: Mutex<State>
    private let write: @Sendable (WorkerMessage) -> Delivery
    private let counts: CertificateCounts
    private let log: Logger
    private let thread: WatchThread

    /// Milliseconds between two looks.
    private static var pause: CInt { 250 }

    /// What came of giving a message to all workers that it concerns.
    enum Delivery { case delivered, incomplete }

    /// Watches the files of a snapshot, which must be registered. `write` gives a message to all workers that it concerns; if
    /// one of them could not take it, it is called again, and all get the message.
    init(
        _ snapshot: Snapshot, counts: CertificateCounts, log: Logger,
        write: @escaping @Sendable (WorkerMessage) -> Delivery
    ) throws(SystemError) {
        state = Mutex(State(snapshot))
        self.counts = counts
        self.log = log
        self.write = write
        thread = try WatchThread(named: "certificates")
    }

    /// There are no files to look at.
    var isIdle: Bool { state.withLock { $0.isEmpty } }

    /// The contexts of listeners whose files are watched, as they are now.
    var contexts: [ServerID: TLSContext] {
        state.withLock { state in
            Dictionary(state.listeners.map { ($0.id, $0.tls.context) }) { first, _ in first }
        }
    }

    /// Starts to look, if there is anything to look at.
    func start() throws(SystemError) {
        if !isIdle { try thread.start { [self] in look() } }
    }

    func stop() { thread.stop() }

    /// Watches nothing: what workers were told before is all that they are told.
    func pause() { state.withLock { $0 = State() } }

    /// Watches the files of another snapshot, which must be registered.
    func resume(with snapshot: Snapshot) throws(SystemError) {
        state.withLock { $0 = State(snapshot) }
        try start()
        thread.lookNow()
    }

    private func look() -> CInt {
        state.withLock { state in
            let now = Int64(WallClock.seconds())
            for index in state.listeners.indices {
                let id = state.listeners[index].id
                if let context = changed(state.listeners[index].tls.check(at: now)) {
                    log.notice("serving a new certificate", metadata: Self.metadata(context.certificates.first))
                    state.served[id] = .certificates(listener: id, context)
                }
                warnOfStaleResponse(of: state.listeners[index].tls.context, id, &state.stale, at: now)
            }
            for index in state.upstreams.indices {
                if let context = changed(state.upstreams[index].tls.check(at: now)) {
                    log.notice("new certificates for servers", metadata: Self.metadata(context.certificate))
                    let slot = state.upstreams[index].slot
                    state.shown[slot] = .upstreamCertificates(upstream: slot, context)
                }
            }
            state.served = state.served.filter { write($0.value) == .incomplete }
            state.shown = state.shown.filter { write($0.value) == .incomplete }
            return state.isEmpty ? -1 : Self.pause
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
    private func warnOfStaleResponse(
        of context: TLSContext, _ id: ServerID, _ stale: inout Set<ServerID>, at now: Int64
    ) {
        let problem = context.staples.lazy.compactMap { $0?.problem(at: now) }.first
        if let problem, !stale.contains(id) {
            log.warning("an OCSP response is not shown to clients: \(problem)")
        }
        if problem == nil { stale.remove(id) } else { stale.insert(id) }
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
