/// What becomes of a request that failed.
package enum RetryDecision: Equatable, Sendable {
    case retry(RetryTarget)
    case giveUp(GiveUpReason)
}

/// Where a request is sent again.
package enum RetryTarget: Equatable, Sendable {
    /// To a server that this request has not tried; the one that failed counts as tried.
    case anotherServer
    /// To any server, on a connection that carried nothing before: the server closed an idle connection, which says
    /// nothing about the server.
    case anyServerNewConnection
    /// To the same server, on a connection that carried nothing before.
    case sameServerNewConnection
    /// To the same server, by another dial after `RefusalStreak.pause`.
    case sameServerLater
}

/// What the client is told instead of a response.
package enum GiveUpReason: Equatable, Sendable {
    /// No server could be asked.
    case noServerAvailable
    /// The session's server cannot be reached now. Whether it still has the session is not known.
    case sessionServerUnavailable
    /// The process that held the session is gone, and the session with it.
    case sessionNotFound
    case connectFailed
    /// The connection was lost, and the request may have been carried out.
    case connectionLost
    /// What the server said: its response is passed on.
    case turnedAway
}

/// Decides whether and where a failed request is sent again: one table, and the only place that knows the rules.
///
/// A request that no server can have read may go anywhere that its session allows. One that a server may have read is
/// sent again only if doing it twice is doing it once. After the first byte of a response it is never sent again.
package struct RetryPolicy: Equatable, Sendable {
    /// How often one request is sent again at most. Refused connections do not count: nothing was sent, and they cost no
    /// time.
    package var retryLimit: UInt8

    /// A policy with this limit; with 0, only refused connections are made up for.
    package init(retryLimit: UInt8 = 2) {
        self.retryLimit = retryLimit
    }

    /// Decides about a failure and counts it.
    ///
    /// - Parameters:
    ///   - attempts: Failed attempts of this request so far; from 0. A failure that counts adds one.
    ///   - budget: The upstream's budget, which every retry draws on that may load a server a second time. One that it
    ///     does not grant is given up as if the retries were used up.
    ///   - now: Monotonic time in nanoseconds, for the budget.
    package func decide(
        _ failure: RequestFailure, attempts: inout UInt8, of request: RetryableRequest, budget: inout RetryBudget,
        now: UInt64
    ) -> RetryDecision {
        switch failure {
        case .connectFailed(let cause):
            decide(cause, attempts: &attempts, of: request, budget: &budget, now: now)
        case .connectionLost(let isReused, let hasReceived, let receipt):
            decideLost(
                isReused: isReused, hasReceived: hasReceived, receipt, attempts: &attempts, of: request,
                budget: &budget, now: now)
        case .turnedAway:
            decideTurnedAway(attempts: &attempts, of: request, budget: &budget, now: now)
        }
    }

    /// Bounded by the servers: each is asked once.
    private func decideTurnedAway(
        attempts: inout UInt8, of request: RetryableRequest, budget: inout RetryBudget, now: UInt64
    ) -> RetryDecision {
        guard retryLimit > 0, request.isWhole, !request.isPinned, budget.withdraw(now: now) == .granted else {
            return .giveUp(.turnedAway)
        }
        attempts = attempts == .max ? .max : attempts + 1
        return .retry(.anotherServer)
    }

    /// Nothing was sent, so any request may move on.
    private func decide(
        _ cause: ConnectFailure, attempts: inout UInt8, of request: RetryableRequest, budget: inout RetryBudget,
        now: UInt64
    ) -> RetryDecision {
        let isRefusal = cause == .refused || cause == .dead
        if !isRefusal { attempts = attempts == .max ? .max : attempts + 1 }
        if cause == .ownFault { return .giveUp(.noServerAvailable) }
        if request.isPinned { return decidePinned(cause) }
        // Nobody worked on a request that was refused: moving on multiplies no load.
        guard attempts <= retryLimit, isRefusal || budget.withdraw(now: now) == .granted else {
            return .giveUp(.connectFailed)
        }
        return .retry(.anotherServer)
    }

    /// Most clients never initialize again after a 404, so it is said only of a session that is certainly lost.
    private func decidePinned(_ cause: ConnectFailure) -> RetryDecision {
        switch cause {
        case .dead: .giveUp(.sessionNotFound)
        case .refused: .retry(.sameServerLater)
        case .ownFault, .other: .giveUp(.sessionServerUnavailable)
        }
    }

    /// A server that closes idle connections may have closed a reused one before the request came, and its kernel says so.
    /// A new connection was closed after it was accepted, for some other reason: nothing is concluded from that.
    private func decideLost(
        isReused: Bool, hasReceived: Bool, _ receipt: RequestReceipt, attempts: inout UInt8,
        of request: RetryableRequest, budget: inout RetryBudget, now: UInt64
    ) -> RetryDecision {
        guard !hasReceived, request.isWhole, attempts < retryLimit,
            (isReused && receipt == .cannotHaveBeenRead)
                || mayRepeat(request, isReused: isReused, attempts: attempts),
            budget.withdraw(now: now) == .granted
        else { return .giveUp(.connectionLost) }
        attempts += 1
        if request.isPinned { return .retry(.sameServerNewConnection) }
        return .retry(isReused ? .anyServerNewConnection : .anotherServer)
    }

    /// Whether the decision about a lost connection depends on the request's receipt. Asking the kernel for it costs
    /// system calls.
    package func needsReceipt(
        _ request: RetryableRequest, isReused: Bool, hasReceived: Bool, attempts: UInt8
    ) -> Bool {
        !hasReceived && request.isWhole && isReused && attempts < retryLimit
            && !mayRepeat(request, isReused: isReused, attempts: attempts)
    }

    /// Whether a request that a server may have read may go out again. A reused connection may have been closing when it
    /// went out (RFC 9112 section 9.5); a new one that is lost may have been lost because of the request, which gets one
    /// more chance and no more.
    private func mayRepeat(_ request: RetryableRequest, isReused: Bool, attempts: UInt8) -> Bool {
        request.isRepeatable && (isReused || attempts == 0)
    }
}
