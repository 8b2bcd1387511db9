import Kernel
import Synchronization

/// A thread of its own that looks at something again and again, so that a file system or a name server that hangs delays no
/// request and no health check. It is there only while there is something to look at.
final class WatchThread: Sendable {
    private let name: String
    private let wake: Wake
    private let isStopped = Atomic(false)
    private let isRunning = Mutex(false)

    init(named name: String) throws(SystemError) {
        self.name = name
        wake = try Wake()
    }

    /// Begins to look, unless that has begun. `look` returns the milliseconds until it is called again; −1: not before
    /// `lookNow`.
    func start(_ look: @escaping @Sendable () -> CInt) throws(SystemError) {
        let isFirst = isRunning.withLock { running in
            defer { running = true }
            return !running
        }
        guard isFirst else { return }
        try Thread(named: name) { [self] in
            while !isStopped.load(ordering: .acquiring) { wake.sleep(milliseconds: look()) }
        }.detach()
    }

    /// Has it look without waiting for the next time.
    func lookNow() { wake.ring() }

    /// Ends the thread when it has looked once more at most.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        wake.ring()
    }
}
