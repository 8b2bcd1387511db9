import Synchronization

/// The secrets that ticket keys are derived from. All Berths of a fleet have the same ones, so that each resumes the
/// sessions of the others, and of itself before a restart.
///
/// The keys change every 12 hours by the clock. A ticket is valid in the period it was made in and in the next one, and
/// also in the one before, because clocks of a fleet differ. Anyone who has the secrets can decrypt all tickets made with
/// them, so their owner replaces them: `replace` takes effect in all copies and in the contexts that use them.
package struct TicketSecrets: Equatable, Sendable {
    /// A secret as handshakes use it.
    struct Prepared {
        /// The first half of the key names that tickets carry.
        let name: UInt64
        let authenticator: MessageAuthenticator
    }

    private final class Store: Sendable {
        struct State {
            var secrets: [[UInt8]]
            var prepared: [Prepared]
        }
        let state: Mutex<State>

        init(_ state: State) { self.state = Mutex(state) }
    }

    private let store: Store
    /// Added to the clock, in seconds. Tests use it to reach a later period.
    package var secondsAhead: Int64 = 0

    /// Stores secrets of at least 32 bytes each: the first encrypts new tickets, all decrypt.
    package init(_ secrets: [[UInt8]]) {
        store = Store(Self.state(secrets))
    }

    /// The secrets in use, the one that encrypts first.
    package var secrets: [[UInt8]] { store.state.withLock { $0.secrets } }

    /// Uses other secrets from here on, in all copies of this value. Any thread may call it.
    package func replace(_ secrets: [[UInt8]]) {
        let state = Self.state(secrets)
        store.state.withLock { $0 = state }
    }

    /// The secrets as handshakes use them. The lock is held for a copy of one reference.
    var prepared: [Prepared] { store.state.withLock { $0.prepared } }

    private static func state(_ secrets: [[UInt8]]) -> Store.State {
        Store.State(
            secrets: secrets,
            prepared: secrets.map { secret in
                let authenticator = MessageAuthenticator(key: secret)
                return Prepared(name: TicketKeys.name(authenticator), authenticator: authenticator)
            })
    }

    package static func == (left: TicketSecrets, right: TicketSecrets) -> Bool {
        left.secondsAhead == right.secondsAhead && (left.store === right.store || left.secrets == right.secrets)
    }
}
