import Kernel
import Logging
import Synchronization
import TLS
import Telemetry

/// Looks at the files of all listeners' certificates and hands workers the new contexts.
///
/// On a thread of its own: a file system that hangs delays no request and no health check. It looks rather than being
/// told: what is replaced may be a link, a link to a link, or a folder above them.
final class CertificateWatcher: Sendable {
    /// Milliseconds between two looks.
    private static var pause: CInt { 250 }

    private let watched: [(plan: Int, tls: WatchedTLS)]
    private let deliver: @Sendable (_ plan: Int, _ context: TLSContext) -> Bool
    private let counts: CertificateCounts
    private let log: Logger
    private let wake: Wake
    private let isStopped = Atomic(false)

    /// Nil if no listener has files to look at. `deliver` gives a context to all workers; false if one could not take
    /// it, which is then tried again.
    init?(
        _ snapshot: Snapshot, counts: CertificateCounts, log: Logger,
        deliver: @escaping @Sendable (_ plan: Int, _ context: TLSContext) -> Bool
    ) throws(SystemError) {
        let watched = snapshot.listeners.enumerated().compactMap { plan, listener in
            listener.watchedTLS.map { (plan, $0) }
        }
        guard !watched.isEmpty else { return nil }
        self.watched = watched
        self.counts = counts
        self.log = log
        self.deliver = deliver
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
        var watched = watched
        var owed: [Int: TLSContext] = [:]
        while !isStopped.load(ordering: .acquiring) {
            let now = Int64(WallClock.seconds())
            for index in watched.indices {
                switch watched[index].tls.look(at: now) {
                case .none: break
                case .renewed(let context):
                    owed[watched[index].plan] = context
                    counts.note(renewed: context, listener: watched[index].plan)
                    log.notice("serving a new certificate", metadata: Self.metadata(context))
                case .refused(let error):
                    counts.noteRefused()
                    log.error("a new certificate cannot be served, the one before stays: \(error)")
                }
            }
            owed = owed.filter { !deliver($0.key, $0.value) }
            wake.sleep(milliseconds: Self.pause)
        }
    }

    private static func metadata(_ context: TLSContext) -> Logger.Metadata {
        guard let first = context.certificates.first else { return [:] }
        return ["subject": "\(first.subject)", "expires": "\(first.expiry)"]
    }
}

/// What has become of the certificates since the start.
package final class CertificateCounts: Sendable {
    private let state = Mutex((renewed: 0, refused: 0))

    /// New versions that were taken up, and new versions that could not be.
    package var totals: (renewed: Int, refused: Int) { state.withLock { $0 } }

    func note(renewed context: TLSContext, listener: Int) { state.withLock { $0.renewed += 1 } }

    func noteRefused() { state.withLock { $0.refused += 1 } }
}
