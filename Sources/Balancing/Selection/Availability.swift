/// What is known of a server when it is asked whether it may get work.
package struct ServerCondition: Equatable, Sendable {
    /// The health checks' verdict.
    package var isHealthy = true
    /// It finishes its sessions and takes no new work.
    package var isDraining = false
    /// Taken out for a while by outlier detection.
    package var isEjected = false
    /// No connection to it is parked, and no other may be opened.
    package var isFull = false
    /// This request was sent there in vain.
    package var wasTried = false

    /// A server against which nothing stands but what is given.
    package init(
        isHealthy: Bool = true, isDraining: Bool = false, isEjected: Bool = false, isFull: Bool = false,
        wasTried: Bool = false
    ) {
        self.isHealthy = isHealthy
        self.isDraining = isDraining
        self.isEjected = isEjected
        self.isFull = isFull
        self.wasTried = wasTried
    }

    /// Whether unpinned work may go there as far as the server alone decides: what `ServerSelection.setEligible` is told.
    package var isEligible: Bool { isHealthy && !isDraining && !isEjected }
}

/// Whether a server may get work and, if not, why.
package enum Availability: Equatable, Sendable {
    case available
    case unavailable(Reason)

    /// What stands against a server; of several reasons, the first in this order is given.
    package enum Reason: UInt8, CaseIterable, Sendable {
        case alreadyTried, unhealthy, draining, ejected
        /// The server would take the work later: it may be waited for.
        case full
    }

    /// What kind of work is to be placed.
    package enum Work: Equatable, Sendable {
        /// Any server of the upstream will do.
        case unpinned
        /// The work of a session, which only its own server can do. That server is asked even if its health checks fail,
        /// it is draining or it was ejected: it may still have the session, and a 404 would end it. Only a connection
        /// that cannot be had shows that it is gone.
        case pinned
    }

    /// Says whether a server in some condition may get some work.
    package static func of(_ condition: ServerCondition, for work: Work) -> Availability {
        if work == .unpinned {
            if condition.wasTried { return .unavailable(.alreadyTried) }
            if !condition.isHealthy { return .unavailable(.unhealthy) }
            if condition.isDraining { return .unavailable(.draining) }
            if condition.isEjected { return .unavailable(.ejected) }
        }
        return condition.isFull ? .unavailable(.full) : .available
    }
}
