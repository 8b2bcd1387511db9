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

    /// Has `body` give workers a snapshot with the keys as they are, and no others meanwhile: what it would say could reach
    /// them before the snapshot does. `secrets` are watched from here on; nil: the same as before.
    func handOver(_ secrets: SessionSecrets?, _ body: ([SigningKey]) -> Void) {
        state.withLock { state in
            if let secrets { state = State(secrets: secrets) }
            state.undelivered = nil
            body(state.secrets.keys)
        }
    }

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
