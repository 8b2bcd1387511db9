/// One worker's connections to one server: which are parked, and how many there are. It decides and holds no socket; the
/// owner executes what it is told and reports what came of it.
///
/// A connection is named by its slot in the owner's table. Parked means connected, idle and in the pool's list; a
/// connection that goes from one exchange straight to the next was never parked. The newest is used first and the coldest
/// closed first, so that a quiet pool shrinks.
///
/// Connections for calls are bounded over all workers, and so are those that carry event streams. The two bounds are
/// counters that workers share, so a pool asks its owner for a *claim* on one and is told whether it was granted. Every
/// claim is released exactly once: each method that ends one says so.
///
/// There is a pool for every server on every worker: it is small, and takes memory only when connections park.
package struct ServerPool: Sendable {
    /// Bounds that the upstream sets; the same for all pools of it on this worker.
    package struct Limits: Equatable, Sendable {
        /// Connections kept open without being asked for: this worker's share.
        package var minimum: Int
        /// Exchanges on one connection.
        package var maximumUses: UInt32
        /// Nanoseconds since a connection was opened.
        package var maximumAge: UInt64

        /// No minimum and no bounds but what is given.
        package init(minimum: Int = 0, maximumUses: UInt32 = .max, maximumAge: UInt64 = .max) {
            self.minimum = minimum
            self.maximumUses = maximumUses
            self.maximumAge = maximumAge
        }
    }

    /// What a connection is doing when something happens to it.
    package enum Role: UInt8, CaseIterable, Sendable {
        /// Being opened for an exchange.
        case connecting
        /// Being opened to keep the minimum, for nobody yet.
        case warming
        /// Carrying a call, or just done with one.
        case serving
        /// Carrying an event stream.
        case streaming
        case parked
        /// Opened for a health check: the pool knows nothing of it.
        case healthCheck
    }

    /// Coldest first.
    private var parked: [UInt32] = []
    private var claimed: Int32 = 0
    /// Connections being opened to keep the minimum.
    private var warmingNow: Int32 = 0

    /// A pool without connections.
    package init() {}

    /// Idle connections.
    package var parkedCount: Int { parked.count }
    /// Connections that hold a claim on the bound for calls: connecting, warming, serving or parked.
    package var connectionCount: Int { Int(claimed) }
}

// MARK: - Getting a connection

extension ServerPool {
    /// Where an exchange gets its connection from.
    package enum Acquisition: Equatable, Sendable {
        /// Send the request on this connection, which was parked and now is serving.
        case use(UInt32)
        /// Ask for a claim on the bound for calls, and report by `claimGranted` or `claimDenied`.
        case claim
    }

    /// An exchange wants a connection.
    ///
    /// - Parameter allowsParked: False for a request that cannot be sent again, or that just lost a parked connection: it
    ///   should not go out on a connection whose server may be closing it.
    package mutating func acquire(allowsParked: Bool) -> Acquisition {
        guard allowsParked, let newest = parked.popLast() else { return .claim }
        return .use(newest)
    }

    /// The claim was granted: the owner opens a connection. If not even a socket could be had, it reports `connectFailed`;
    /// a connection that fails later is reported as `closed`.
    ///
    /// - Parameter role: `connecting` or `warming`.
    package mutating func claimGranted(for role: Role) {
        precondition(role == .connecting || role == .warming, "a claim is for a connection to open")
        claimed += 1
        if role == .warming { warmingNow += 1 }
    }

    /// The owner could not begin to open the connection for which a claim was granted.
    package mutating func connectFailed(as role: Role) -> ClaimRelease {
        if role == .warming { endWarming() }
        return endClaim()
    }

    /// What becomes of an exchange whose claim was denied.
    package enum Denial: Equatable, Sendable {
        /// Send the request on this connection after all.
        case use(UInt32)
        /// Queue the exchange, or give it up.
        case wait
    }

    /// The bound for calls is reached.
    package mutating func claimDenied() -> Denial {
        guard let newest = parked.popLast() else { return .wait }
        return .use(newest)
    }

    /// What a new connection is for.
    package enum Establishment: Equatable, Sendable {
        /// Send the exchange's request; the connection is serving.
        case serve
        /// Nobody waits for it: report it by `released`; the connection counts as serving until then.
        case release
    }

    /// A connection can carry requests.
    package mutating func established(as role: Role) -> Establishment {
        switch role {
        case .connecting: return .serve
        case .warming:
            endWarming()
            return .release
        case .serving, .streaming, .parked, .healthCheck:
            preconditionFailure("a connection is established once")
        }
    }

    /// Connections to open now, with a claim each, to keep the minimum.
    ///
    /// - Parameter isUsable: Whether the server is healthy; to others none is opened.
    package func missing(_ limits: Limits, isUsable: Bool) -> Int {
        isUsable ? max(0, limits.minimum - connectionCount) : 0
    }
}

// MARK: - Giving it back

extension ServerPool {
    /// What is known of a connection that a call was done with.
    package struct Wear: Equatable, Sendable {
        /// Exchanges that were begun on it.
        package var uses: UInt32
        /// Nanoseconds since it was opened.
        package var age: UInt64
        /// The server has closed its side.
        package var hasEnded: Bool

        /// A connection whose server keeps it open unless said otherwise.
        package init(uses: UInt32, age: UInt64, hasEnded: Bool = false) {
            self.uses = uses
            self.age = age
            self.hasEnded = hasEnded
        }
    }

    /// What becomes of a connection whose call is over.
    package enum Release: Equatable, Sendable {
        /// The connection is parked; the owner sets its idle timeout.
        case park
        /// The owner closes it and reports `closed` as serving.
        case close
    }

    /// A serving connection could carry another call.
    ///
    /// - Parameters:
    ///   - isDraining: This worker takes no more work.
    ///   - isWantedElsewhere: Exchanges of other workers wait for this upstream, and none of this worker's own: they open
    ///     a connection in its place.
    package mutating func released(
        _ connection: UInt32, _ wear: Wear, _ limits: Limits, isDraining: Bool, isWantedElsewhere: Bool
    ) -> Release {
        let isWorn = wear.uses >= limits.maximumUses || wear.age >= limits.maximumAge
        if isWorn || wear.hasEnded || isDraining || isWantedElsewhere { return .close }
        assert(!parked.contains(connection), "a parked connection is not released")
        parked.append(connection)
        return .park
    }

    /// What the owner gives back to the counters that workers share.
    package enum ClaimRelease: Equatable, Sendable {
        case none
        /// The claim on the bound for calls.
        case connection
        /// The claim on the bound for event streams.
        case stream
    }

    /// A serving connection carries an event stream from now on. The owner holds a claim on the bound for streams, which
    /// takes the place of that for calls.
    package mutating func becameStream() -> ClaimRelease { endClaim() }

    /// What becomes of a connection whose event stream is over.
    package enum StreamEnd: Equatable, Sendable {
        /// The connection is serving again: report it by `released`. The owner gives back the claim for streams.
        case keep
        /// The owner closes it and reports `closed` as streaming.
        case close
    }

    /// An event stream ended and its connection could carry a call.
    ///
    /// - Parameter claimGranted: Whether a claim on the bound for calls could be had for it.
    package mutating func streamEnded(claimGranted: Bool) -> StreamEnd {
        guard claimGranted else { return .close }
        claimed += 1
        return .keep
    }

    /// A connection was closed, whatever it was doing. In no other way does the pool forget one.
    package mutating func closed(_ connection: UInt32, as role: Role) -> ClaimRelease {
        switch role {
        case .connecting, .serving: return endClaim()
        case .warming:
            endWarming()
            return endClaim()
        case .parked:
            unpark(connection)
            return endClaim()
        case .streaming: return .stream
        case .healthCheck: return .none
        }
    }

    private mutating func endClaim() -> ClaimRelease {
        precondition(claimed > 0, "a claim is released once")
        claimed -= 1
        return .connection
    }

    private mutating func endWarming() {
        precondition(warmingNow > 0, "a connection warms up once")
        warmingNow -= 1
    }

    /// Takes a connection out of the list, wherever it stands. Mostly it is a cold one.
    private mutating func unpark(_ connection: UInt32) {
        guard let index = parked.firstIndex(of: connection) else {
            preconditionFailure("a connection that is parked is in the list")
        }
        parked.remove(at: index)
    }
}

// MARK: - Idle connections

extension ServerPool {
    /// The parked connection to close first: it has been idle longest. The owner closes it and reports `closed`.
    package var coldest: UInt32? { parked.first }

    /// What becomes of a connection that was idle for its time.
    package enum IdleDecision: Equatable, Sendable {
        /// The owner sets the idle timeout again.
        case keep
        /// The owner closes it and reports `closed` as parked.
        case close
    }

    /// A parked connection was idle for its time. The pool does not fall below its minimum for that, unless the connection
    /// is too old.
    ///
    /// - Parameter age: Nanoseconds since it was opened.
    package func idleTimedOut(age: UInt64, _ limits: Limits) -> IdleDecision {
        parkedCount <= limits.minimum && age < limits.maximumAge ? .keep : .close
    }
}
