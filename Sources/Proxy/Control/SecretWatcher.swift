import Kernel
import Logging
import Synchronization

/// Reads the files of keys again while the proxy runs, hands workers new keys, and renews the secret of TLS tickets.
final class SecretWatcher: Sendable {
    private struct State {
        var secrets: SessionSecrets
        /// Keys that have not reached all workers yet.
        var undelivered: [SigningKey]?
    }

    private let state: Mutex<State>
    private let write: @Sendable ([SigningKey]) -> Bool
    private let log: Logger
    private let thread: WatchThread

    /// Milliseconds between two looks.
    private static var pause: CInt { 1_000 }

    /// `write` gives keys to all workers; false if one could not take them, which is then tried again.
    init(
        _ secrets: SessionSecrets, log: Logger, write: @escaping @Sendable ([SigningKey]) -> Bool
    ) throws(SystemError) {
        state = Mutex(State(secrets: secrets))
        self.log = log
        self.write = write
        thread = try WatchThread(named: "secrets")
    }

    /// The secrets as they are now.
    var secrets: SessionSecrets { state.withLock { $0.secrets } }

    func start() throws(SystemError) { try thread.start { [self] in look() } }

    func stop() { thread.stop() }

    /// Watches the files of other secrets from here on. A snapshot brings workers their keys.
    func replace(_ secrets: SessionSecrets) { state.withLock { $0 = State(secrets: secrets) } }

    private func look() -> CInt {
        state.withLock { state in
            let time = Int64(WallClock.seconds())
            state.undelivered = state.secrets.changedKeys(at: time, log: log) ?? state.undelivered
            if let keys = state.undelivered, write(keys) { state.undelivered = nil }
            state.secrets.renewTickets(at: time, log: log)
            return Self.pause
        }
    }
}
