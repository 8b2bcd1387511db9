import Kernel
import Synchronization

/// Where a thread waits for the others: each reports once whether it can work, or works by a new snapshot.
package final class StartGate: Sendable {
    private let state = Mutex((reports: 0, failure: StartError?.none))
    private let wake: Wake

    init() throws(SystemError) { wake = try Wake() }

    /// A thread can work, or cannot for this reason.
    func report(_ failure: StartError? = nil) {
        state.withLock { state in
            state.reports += 1
            if state.failure == nil { state.failure = failure }
        }
        wake.ring()
    }

    /// Waits until so many threads have reported; the first failure, if any.
    func wait(for count: Int) -> StartError? {
        while state.withLock({ $0.reports < count }) { wake.sleep(milliseconds: -1) }
        return state.withLock { $0.failure }
    }

    /// The same, for no longer than `limit`: that threads have not reported by then is a failure.
    func wait(for count: Int, within limit: Interval) -> StartError? {
        let deadline = Instant.now() + limit
        while state.withLock({ $0.reports < count }) {
            guard Instant.now() < deadline else { return StartError("a worker does not answer") }
            wake.sleep(milliseconds: 10)
        }
        return state.withLock { $0.failure }
    }
}
