package import Kernel

/// What a connection is to be made with.
package struct RedisConnectionPlan: Equatable, Sendable {
    /// Whether TLS comes before the first command.
    package var isSecure = false
    /// Who asks; nil: nobody in particular.
    package var credentials: RedisCredentials?
    /// Which of the server's databases.
    package var database: UInt32 = 0
    /// From dialling to the first command that anybody asked for.
    package var openTimeout = Interval.seconds(2)
    /// How long a reply may take until the connection is given up, with all that waits behind it.
    package var replyTimeout = Interval.seconds(3)
    /// Commands that may wait for replies.
    package var maximumPending = 4_096

    package init() {}
}

/// Why a connection ends.
package enum RedisFailure: Equatable, Sendable {
    /// It could not be made, or that took too long.
    case unreachable
    /// It has ended, or broken.
    case lost
    /// A reply did not come in time.
    case timedOut
    /// What came was no reply, or none that was asked for.
    case malformed
    /// The server wants other credentials.
    case denied
    /// The server says that another one is to be asked, or that it does not serve yet.
    case failover
    /// Nobody wants it any longer.
    case unwanted
}

/// How far a connection to a server has got, and whose replies are to come. A value: it takes what happens and says what is to be
/// done; it holds no socket and no bytes. `Purpose` is what a reply is for.
///
///     closed -> connecting -> securing -> greeting -> ready -> closed
///
/// Commands may be added from `connecting` on: they are sent when it is ready. Replies come in the order of commands.
package struct RedisConnectionState<Purpose: Sendable>: Sendable {
    /// How far it has got.
    package enum Phase: Equatable, Sendable {
        case closed, connecting, securing
        /// HELLO, or AUTH in its place, or SELECT is unanswered.
        case greeting, authenticating, selecting
        case ready
    }

    /// What happens to it.
    package enum Event: Equatable, Sendable {
        /// It is wanted.
        case open
        case connected
        /// TLS is there.
        case handshakeDone
        /// A reply came.
        case reply(RedisReply)
        /// It could not be made, or has ended, by what was seen on the socket.
        case ended
        /// What came was no reply.
        case malformed
        /// The server has answered that another one is to be asked.
        case failover
        /// It is not wanted any longer.
        case close
    }

    /// What its owner does about it.
    package enum Action: Equatable, Sendable {
        case none
        /// Dial, then say `connected` or `ended`.
        case dial
        /// Begin TLS, then say `handshakeDone` or `ended`.
        case secure
        /// Send a command of the connection's own.
        case send(RedisCommand)
        /// Send what waits: everything may be sent at once from here on.
        case flush
        /// The reply is that of the oldest command: `takeOldest` says what for.
        case answer
        /// Close the socket, if there is one; nothing that waits will be answered: `takeAll` says what that is.
        case close(RedisFailure)
    }

    private struct Pending: Sendable {
        let purpose: Purpose
        let sentAt: Instant
    }

    private let plan: RedisConnectionPlan
    /// How far it has got.
    package private(set) var phase = Phase.closed
    /// When the opening began.
    private var openedAt = Instant(nanoseconds: 0)
    private var pending: [Pending] = []
    /// Index of the oldest one in `pending`.
    private var oldest = 0

    /// A closed connection.
    package init(_ plan: RedisConnectionPlan) { self.plan = plan }

    /// Commands that wait for replies.
    package var pendingCount: Int { pending.count - oldest }

    /// What they are for, oldest first.
    package var purposes: [Purpose] { pending[oldest...].map(\.purpose) }

    /// When it has to be looked at, with `expire`; `never` if nothing is awaited.
    package var deadline: Instant {
        switch phase {
        case .closed: .never
        case .connecting, .securing, .greeting, .authenticating, .selecting: openedAt + plan.openTimeout
        case .ready: oldest < pending.count ? pending[oldest].sentAt + plan.replyTimeout : .never
        }
    }

    /// Notes that a command was written, to be sent now or when the connection is ready. False, and nothing noted, if it is closed
    /// or too many wait.
    package mutating func add(_ purpose: Purpose, at now: Instant) -> Bool {
        guard phase != .closed, pendingCount < plan.maximumPending else { return false }
        pending.append(Pending(purpose: purpose, sentAt: now))
        return true
    }

    /// What the oldest command was for; it waits no more.
    package mutating func takeOldest() -> Purpose? {
        guard oldest < pending.count else { return nil }
        defer {
            oldest += 1
            if oldest == pending.count {
                pending.removeAll(keepingCapacity: true)
                oldest = 0
            } else if oldest >= 1_024 {
                pending.removeFirst(oldest)
                oldest = 0
            }
        }
        return pending[oldest].purpose
    }

    /// What all commands were for that wait, oldest first; they wait no more.
    package mutating func takeAll() -> [Purpose] {
        defer {
            pending.removeAll(keepingCapacity: true)
            oldest = 0
        }
        return purposes
    }

    /// Takes what has happened. Events that do not fit are no mistakes: what was on its way when it was closed comes too late.
    package mutating func handle(_ event: Event, at now: Instant) -> Action {
        switch event {
        case .close: return phase == .closed ? .none : close(.unwanted)
        case .failover: return phase == .closed ? .none : close(.failover)
        case .malformed: return phase == .closed ? .none : close(.malformed)
        case .ended:
            switch phase {
            case .closed: return .none
            case .ready: return close(.lost)
            case .connecting, .securing, .greeting, .authenticating, .selecting: return close(.unreachable)
            }
        case .open:
            guard phase == .closed else { return .none }
            phase = .connecting
            openedAt = now
            return .dial
        case .connected:
            guard phase == .connecting else { return .none }
            guard plan.isSecure else { return greet() }
            phase = .securing
            return .secure
        case .handshakeDone: return phase == .securing ? greet() : .none
        case .reply(let reply): return handle(reply)
        }
    }

    /// Looks whether the deadline has passed.
    package mutating func expire(at now: Instant) -> Action {
        guard now >= deadline else { return .none }
        return close(phase == .ready ? .timedOut : .unreachable)
    }

    // MARK: - Replies

    private mutating func handle(_ reply: RedisReply) -> Action {
        switch phase {
        case .closed, .connecting, .securing: return phase == .closed ? .none : close(.malformed)
        case .ready: return oldest < pending.count ? .answer : close(.malformed)
        case .greeting:
            guard case .error(let error, _) = reply else { return greeted() }
            // A server before version 6, or something that speaks the first version only.
            if error == .unknownCommand { return authenticate() }
            return close(failure(error))
        case .authenticating:
            guard case .error(let error, _) = reply else { return greeted() }
            return close(failure(error))
        case .selecting:
            guard case .error(let error, _) = reply else { return becomeReady() }
            return close(failure(error))
        }
    }

    private func failure(_ error: RedisError) -> RedisFailure { error.isFailover ? .failover : .denied }

    private mutating func greet() -> Action {
        phase = .greeting
        return .send(.hello(plan.credentials))
    }

    private mutating func authenticate() -> Action {
        guard let credentials = plan.credentials else { return greeted() }
        phase = .authenticating
        return .send(.authenticate(credentials))
    }

    private mutating func greeted() -> Action {
        guard plan.database != 0 else { return becomeReady() }
        phase = .selecting
        return .send(.select(plan.database))
    }

    private mutating func becomeReady() -> Action {
        phase = .ready
        return .flush
    }

    private mutating func close(_ failure: RedisFailure) -> Action {
        phase = .closed
        return .close(failure)
    }
}
