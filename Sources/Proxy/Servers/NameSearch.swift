import Kernel
import Synchronization

/// Host names that are being looked up, several at a time, on threads of their own: one that takes long holds up neither
/// the others nor its caller. Threads end when there is nothing to look up.
final class NameSearch: Sendable {
    private struct State {
        var queue: [String] = []
        /// Queued, or with a thread.
        var pending: Set<String> = []
        /// Not taken yet; empty for names without addresses.
        var found: [String: [SocketAddress]] = [:]
        var threads = 0
    }

    /// Names that are looked up at the same time.
    private static var concurrency: Int { 16 }

    private let names: NameLookup
    private let state = Mutex(State())
    private let wake: Wake

    init(_ names: NameLookup) throws(SystemError) {
        self.names = names
        wake = try Wake()
    }

    /// Begins to look names up, but for those that are being looked up already.
    func begin(_ hosts: Set<String>) {
        let missing = state.withLock { state in
            let fresh = hosts.subtracting(state.pending).sorted()
            state.queue += fresh
            state.pending.formUnion(fresh)
            let missing = max(0, min(state.queue.count, NameSearch.concurrency - state.threads))
            state.threads += missing
            return missing
        }
        for _ in 0..<missing {
            guard let thread = try? Thread(named: "names", { [self] in work() }) else {
                // Without a thread the caller has to.
                work()
                continue
            }
            thread.detach()
        }
    }

    private func work() {
        while let name = next() {
            let addresses = names.addresses(name)
            state.withLock { state in
                state.pending.remove(name)
                state.found[name] = addresses
            }
            wake.ring()
        }
    }

    private func next() -> String? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.threads -= 1
                return nil
            }
            return state.queue.removeFirst()
        }
    }

    /// Waits until all names have been looked up, or the time is up.
    func wait(within limit: Interval) {
        let deadline = Instant.now() + limit
        while state.withLock({ !$0.pending.isEmpty }), Instant.now() < deadline {
            let left = (deadline - Instant.now()).nanoseconds / 1_000_000
            wake.sleep(milliseconds: CInt(clamping: left + 1))
        }
    }

    /// What has been found since the last time; empty for names without addresses.
    func take() -> [String: [SocketAddress]] {
        state.withLock { state in
            defer { state.found = [:] }
            return state.found
        }
    }
}
