import Kernel
package import Redis
import Synchronization
package import Telemetry

/// What a command to a store is for.
package enum StoreUse: UInt8, Sendable, CaseIterable {
    /// A session that another Berth may have seen begin.
    case lookUp
    /// A session that has begun here, before its client hears of it.
    case share
    /// One that is used, so that it does not expire.
    case refresh
    /// One that has ended.
    case forget
    /// An answer that another Berth may have fetched.
    case findAnswer
    /// One that was fetched here.
    case keepAnswer
    /// Those that a server has said are no longer so.
    case outdateAnswers
    /// How a session was opened, or that it is used.
    case keepRecord
    /// How one was opened that is lost.
    case findRecord
    /// What a key has used of its rate.
    case countRate
    /// Whether the store answers again.
    case probe

    /// Whether a request or a response waits for the reply.
    var isAwaited: Bool {
        switch self {
        case .lookUp, .share, .findAnswer, .findRecord: true
        case .refresh, .forget, .keepAnswer, .outdateAnswers, .keepRecord, .countRate, .probe: false
        }
    }

    /// Its name in metrics.
    package var name: String {
        switch self {
        case .lookUp: "look_up"
        case .share: "share"
        case .refresh: "refresh"
        case .forget: "forget"
        case .findAnswer: "find_answer"
        case .keepAnswer: "keep_answer"
        case .outdateAnswers: "outdate_answers"
        case .keepRecord: "keep_record"
        case .findRecord: "find_record"
        case .countRate: "count_rate"
        case .probe: "probe"
        }
    }
}

/// What came of it.
package enum StoreResult: UInt8, Sendable, CaseIterable {
    /// It was done, or found.
    case done
    /// There is no such key.
    case missing
    /// The store refused: its memory is full, it is a replica, or the like.
    case refused
    /// The connection was lost before the reply, or could not be made.
    case failed
    /// The circuit breaker is open, or too much waits already: it was not tried.
    case skipped
    /// The reply had not come when the request had waited long enough.
    case late

    /// Its name in metrics.
    package var name: String { "\(self)" }
}

/// What all workers count of one store.
package struct StoreNumbers: Sendable {
    /// By use, then by result.
    package var commands = [[UInt64]](
        repeating: [UInt64](repeating: 0, count: StoreResult.allCases.count), count: StoreUse.allCases.count)
    /// Times from a command to its reply.
    package var latency = CallHistogram()
    /// Connections that serve.
    package var connections: Int64 = 0
    /// Connections that have served.
    package var opened: UInt64 = 0
    /// Connections that failed, by reason.
    package var failures: [RedisFailure: UInt64] = [:]
    /// Workers whose circuit breaker is not closed.
    package var breakersOpen: Int64 = 0
    /// Times that one has opened.
    package var breakerOpenings: UInt64 = 0
}

/// Counts what becomes of one store, for all workers. A store is used when a session begins, or comes from elsewhere: a lock is
/// cheap enough.
package final class StoreCounts: Sendable {
    private let state = Mutex(StoreNumbers())

    init() {}

    /// The numbers now.
    package var numbers: StoreNumbers { state.withLock { $0 } }

    func count(_ use: StoreUse, _ result: StoreResult, times: Int = 1) {
        guard times > 0 else { return }
        state.withLock { $0.commands[Int(use.rawValue)][Int(result.rawValue)] += UInt64(times) }
    }

    func noteLatency(_ time: Interval) {
        state.withLock { $0.latency.record(nanoseconds: time.nanoseconds) }
    }

    func connectionOpened() {
        state.withLock { numbers in
            numbers.connections += 1
            numbers.opened += 1
        }
    }

    func connectionClosed(wasReady: Bool, _ failure: RedisFailure) {
        state.withLock { numbers in
            if wasReady { numbers.connections -= 1 }
            if failure != .unwanted { numbers.failures[failure, default: 0] += 1 }
        }
    }

    /// A worker's breaker was in one state, and is in another.
    func noteBreaker(from old: CircuitBreaker.State, to new: CircuitBreaker.State) {
        guard old != new else { return }
        state.withLock { numbers in
            if old == .closed { numbers.breakersOpen += 1 }
            if new == .closed { numbers.breakersOpen -= 1 }
            if new == .open { numbers.breakerOpenings += 1 }
        }
    }
}
