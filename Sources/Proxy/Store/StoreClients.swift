import Kernel
import RateLimiting
import Reactor
import Redis
import TLS

/// A connection to a store. Whose it is, and how far it has got, its client knows.
struct StoreConnection: ~Copyable {
    var transport: Transport
    /// Index of the client.
    let client: Int
}

/// What a command is for, and who waits for its reply.
struct StorePurpose: Sendable {
    let use: StoreUse
    /// `none`: nobody waits.
    var exchange = Handle.none
    /// The session that the store is told of; `none`: it is not to be told again if that fails.
    var session = SessionKey.none
    /// What the store is told is outdated.
    var outdating: OutdatedMethod?
    /// The search for a session's record.
    var search: UInt32 = 0
    /// What the store is told that a key has used of its rate.
    var rate: RateScript.Call?
    let sentAt: Instant
}

/// One worker's side of a store.
struct StoreClient {
    let store: SharedStore
    var state: RedisConnectionState<StorePurpose>
    var breaker = CircuitBreaker()
    var reader = ReplyReader()
    /// Commands that were not written to the connection yet.
    var unsent = CommandWriter()
    /// What keys have used of their rates and the store was not told.
    var rates = RateReports()
    /// The store knows the script for rates, as far as this connection has shown.
    var hasRateScript = false
    /// `none`: there is no socket.
    var connection = Handle.none
    /// Dial when the present event has been served.
    var wantsDial = false
    /// Look at the connection again: it had more to read.
    var wantsRead = false
    /// Which of the addresses is tried next.
    var addressIndex = 0
    /// When it last answered anything.
    var lastReplyAt = Instant(nanoseconds: 0)
    /// For when the earliest outstanding timer is.
    var armedFor = Instant.never
    /// The connection serves, and is counted.
    var isServing = false

    init(_ store: SharedStore) {
        self.store = store
        state = RedisConnectionState(store.plan)
    }

    /// The connection is gone, with all that was on its way.
    mutating func forgetConnection() {
        connection = .none
        reader = ReplyReader()
        unsent = CommandWriter()
        hasRateScript = false
        wantsDial = false
        wantsRead = false
        isServing = false
    }

    /// Whether a store that was late has said anything at all meanwhile.
    enum Lateness { case silent, slow }

    /// A reply that somebody waits for has not come in time. A store that was silent all that time is not asked again for now, by
    /// this worker or by another one that has not heard of it since.
    mutating func noteLate(_ use: StoreUse, at now: Instant) -> Lateness {
        store.counts.count(use, .late)
        let isSilent = now - lastReplyAt >= store.wait
        failed(at: now, isCertain: isSilent)
        guard isSilent else { return .slow }
        store.noteSilence(at: now)
        return .silent
    }

    /// Asks the breaker, and counts what becomes of it.
    mutating func permit(at now: Instant) -> CircuitBreaker.Permit {
        if breaker.state == .closed, store.silentAt > lastReplyAt { failed(at: now, isCertain: true) }
        let old = breaker.state
        defer { store.counts.noteBreaker(from: old, to: breaker.state) }
        return breaker.permit(at: now)
    }

    mutating func succeeded() {
        let old = breaker.state
        breaker.succeeded()
        store.counts.noteBreaker(from: old, to: breaker.state)
    }

    mutating func failed(at now: Instant, isCertain: Bool) {
        let old = breaker.state
        breaker.failed(at: now, isCertain: isCertain)
        store.counts.noteBreaker(from: old, to: breaker.state)
    }
}

/// What came of asking a store.
enum StoreSubmission {
    /// The reply, or a failure, will be told.
    case submitted
    /// The store is not asked; nothing will be told.
    case declined
}

/// The stores of one worker, and its connections to them: one to each, opened when it is first needed.
struct StoreClients: ~Copyable {
    var connections = Slab<StoreConnection>(limit: 256)
    var clients: [StoreClient] = []
    /// Some client has to dial, to write or to read before the worker sleeps.
    var hasWork = false

    /// The index of the client of a store, which is made if there is none.
    mutating func index(of store: SharedStore) -> Int {
        if let index = clients.firstIndex(where: { $0.store === store }) { return index }
        clients.append(StoreClient(store))
        return clients.count - 1
    }

    /// Asks a store something, unless its breaker is open. The command goes out when the present event has been served.
    mutating func submit(
        _ command: RedisCommand, to store: SharedStore, _ use: StoreUse, for exchange: Handle = .none,
        session: SessionKey = .none, outdating: OutdatedMethod? = nil, at now: Instant
    ) -> StoreSubmission {
        let purpose = StorePurpose(use: use, exchange: exchange, session: session, outdating: outdating, sentAt: now)
        return submit(command, purpose, index(of: store), at: now)
    }

    /// The same for one of the clients.
    mutating func submit(
        _ command: RedisCommand, _ purpose: StorePurpose, _ client: Int, at now: Instant
    ) -> StoreSubmission {
        switch clients[client].permit(at: now) {
        case .granted:
            if enqueue(command, purpose, client, at: now) == .submitted { return .submitted }
        case .probe:
            _ = enqueue(.ping, StorePurpose(use: .probe, sentAt: now), client, at: now)
        case .denied: break
        }
        clients[client].store.counts.count(purpose.use, .skipped)
        return .declined
    }

    mutating func enqueue(
        _ command: RedisCommand, _ purpose: StorePurpose, _ client: Int, at now: Instant
    ) -> StoreSubmission {
        if case .dial = clients[client].state.handle(.open, at: now) { clients[client].wantsDial = true }
        guard clients[client].state.add(purpose, at: now) else { return .declined }
        clients[client].unsent.write(command)
        hasWork = true
        return .submitted
    }
}
