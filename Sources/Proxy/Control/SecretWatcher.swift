import Kernel
import Logging
import Synchronization

/// Reads the files of keys again while the proxy runs, hands workers new keys, and renews the secret of TLS tickets.
///
/// On a thread of its own: a file system that hangs delays no request.
final class SecretWatcher: Sendable {
    /// Milliseconds between two looks.
    private static var pause: CInt { 1_000 }

    private let secrets: SessionSecrets
    private let write: @Sendable ([SigningKey]) -> Bool
    private let log: Logger
    private let wake: Wake
    private let isStopped = Atomic(false)

    /// `write` gives keys to all workers; false if one could not take them, which is then tried again.
    init(
        _ secrets: SessionSecrets, log: Logger, write: @escaping @Sendable ([SigningKey]) -> Bool
    ) throws(SystemError) {
        self.secrets = secrets
        self.log = log
        self.write = write
        wake = try Wake()
    }

    func start() throws(SystemError) {
        try Thread(named: "secrets") { [self] in run() }.detach()
    }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }

    private func run() {
        var secrets = secrets
        var undelivered: [SigningKey]?
        while !isStopped.load(ordering: .acquiring) {
            let time = Int64(WallClock.seconds())
            undelivered = secrets.changedKeys(at: time, log: log) ?? undelivered
            if let keys = undelivered, write(keys) { undelivered = nil }
            secrets.renewTickets(at: time, log: log)
            wake.sleep(milliseconds: Self.pause)
        }
    }
}
