import Kernel
import Reactor
import Synchronization
import Tokens

/// A token that a worker's exchanges wait for.
struct TokenJob: Sendable {
    let token: [UInt8]
    let auth: RouteAuth
    let key: TokenKey
    /// Seconds since 1970.
    let now: Int64
    /// Who is told.
    let worker: Mailbox<WorkerMessage>
    /// It has waited for new keys already.
    var hasWaited = false
}

/// What was found out about a token.
package struct TokenJudgement: Sendable {
    enum Outcome: Sendable {
        case caller(CallerIdentity, expiry: Int64)
        case refused(TokenRefusal)
        /// Nothing: the issuer's keys are not known.
        case unavailable
    }

    let key: TokenKey
    let outcome: Outcome
    /// Of the keys that it was found out with.
    let version: UInt64
}

/// Verifies tokens on a thread of its own, for all workers: a signature takes as long as a few calls.
package final class TokenVerifier: Sendable {
    private struct State {
        var waiting: [TokenJob] = []
        var thread: WatchThread?
    }

    private let state = Mutex(State())
    /// Rung when keys are to be fetched.
    private let wantKeys = Mutex<(@Sendable () -> Void)?>(nil)

    /// Tokens that wait, at most: those of more are told to come again.
    static var mostWaiting: Int { 1_024 }

    package init() {}

    /// Starts the thread, once.
    func start(whenKeysAreWanted fetch: @escaping @Sendable () -> Void) throws(SystemError) {
        wantKeys.withLock { $0 = fetch }
        guard state.withLock({ $0.thread == nil }) else { return }
        let thread = try WatchThread(named: "tokens")
        state.withLock { $0.thread = thread }
        try thread.start { [self] in
            verifyWaiting()
            return -1
        }
    }

    func stop() { state.withLock { $0.thread }?.stop() }

    /// Whether a token was taken.
    enum Submission { case submitted, full }

    func submit(_ job: TokenJob) -> Submission {
        let (result, thread) = state.withLock { state -> (Submission, WatchThread?) in
            guard state.waiting.count < Self.mostWaiting else { return (.full, nil) }
            state.waiting.append(job)
            return (.submitted, state.thread)
        }
        thread?.lookNow()
        return result
    }

    /// Tokens that wait to be verified.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Tokens go on that have waited for keys.
    func resume(_ jobs: [TokenJob]) {
        guard !jobs.isEmpty else { return }
        let thread = state.withLock { state in
            for var job in jobs {
                job.hasWaited = true
                state.waiting.append(job)
            }
            return state.thread
        }
        thread?.lookNow()
    }

    /// Verifies what waits, and tells the workers.
    func verifyWaiting() {
        let jobs = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for job in jobs { judge(job) }
    }

    private func judge(_ job: TokenJob) {
        // Read before: keys that come meanwhile have the verdict looked at again.
        let version = job.auth.version
        let outcome: TokenJudgement.Outcome
        switch job.auth.verdict(on: job.token, at: job.now) {
        case .accepted(let token):
            outcome = .caller(job.auth.identity(of: token), expiry: token.expiry)
        case .refused(let refusal):
            if refusal.mayChangeWithKeys, !job.hasWaited, let keys = job.auth.keys,
                keys.park(job, at: .now()) == .parked
            {
                wantKeys.withLock { $0 }?()
                return
            }
            if refusal == .unknownKey, job.hasWaited { job.auth.keys?.noteAbsent(job, at: .now()) }
            outcome = refusal == .noKeys ? .unavailable : .refused(refusal)
        }
        job.worker.post(.tokenJudged(TokenJudgement(key: job.key, outcome: outcome, version: version)))
    }
}
