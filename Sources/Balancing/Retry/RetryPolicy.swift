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
}

/// Decides whether and where a failed request is sent again: one table, and the only place that knows the limit.
package enum RetryPolicy {
    /// Attempts at one request before it is given up, refused connections not counted.
    package static var attemptLimit: UInt8 { 3 }

    /// Decides about a failure and counts it.
    ///
    /// - Parameters:
    ///   - attempts: Failed attempts of this request so far; from 0. A failure that counts adds one.
    ///   - budget: The upstream's budget, which every retry draws on. One it does not grant is given up as if the attempts
    ///     were used up.
    ///   - now: Monotonic time in nanoseconds, for the budget.
    package static func decide(
        _ failure: RequestFailure, attempts: inout UInt8, of request: RetryableRequest, budget: inout RetryBudget,
        now: UInt64
    ) -> RetryDecision {
        switch failure {
        case .connectFailed(let cause):
            // Nothing was sent, so any request may move on.
            if cause != .refused, cause != .dead { attempts = attempts == .max ? .max : attempts + 1 }
            if cause == .ownFault { return .giveUp(.noServerAvailable) }
            if request.isPinned { return decidePinned(cause) }
            guard attempts < attemptLimit, budget.withdraw(now: now) == .granted else {
                return .giveUp(.connectFailed)
            }
            return .retry(.anotherServer)
        case .connectionLost(let isReused, let hasReceived, let receipt):
            guard !hasReceived, mayReplay(request, isReused: isReused, attempts: attempts),
                request.isSafe || receipt == .cannotHaveBeenRead, budget.withdraw(now: now) == .granted
            else { return .giveUp(.connectionLost) }
            attempts += 1
            return .retry(request.isPinned ? .sameServerNewConnection : .anyServerNewConnection)
        }
    }

    /// Most clients never initialize again after a 404, so it is said only of a session that is certainly lost.
    private static func decidePinned(_ cause: ConnectFailure) -> RetryDecision {
        switch cause {
        case .dead: .giveUp(.sessionNotFound)
        case .refused: .retry(.sameServerLater)
        case .ownFault, .other: .giveUp(.sessionServerUnavailable)
        }
    }

    /// Whether the decision about a lost connection depends on the request's receipt. Asking the kernel for it costs
    /// system calls.
    package static func needsReceipt(
        _ request: RetryableRequest, isReused: Bool, hasReceived: Bool, attempts: UInt8
    ) -> Bool {
        !hasReceived && !request.isSafe && mayReplay(request, isReused: isReused, attempts: attempts)
    }

    /// A reused connection may be closing when a request goes out on it (RFC 9112 section 9.5); a new one that is lost
    /// was lost because of the request.
    private static func mayReplay(_ request: RetryableRequest, isReused: Bool, attempts: UInt8) -> Bool {
        request.isWhole && isReused && attempts < attemptLimit
    }
}
