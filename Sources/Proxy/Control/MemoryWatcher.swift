import Kernel
import Logging
import Synchronization
import Telemetry

/// Looks at the memory that the process has, where there is a `memory_limit`, and says to its workers when it is short. Memory that
/// was freed is given back to the system first: what the allocator keeps is in use for the system, and for nobody else.
final class MemoryWatcher: Sendable {
    private let ceiling: Mutex<MemoryCeiling?>
    private let metrics: MetricsWriter
    private let log: Logger
    private let thread: WatchThread

    init(_ limit: Int64?, metrics: MetricsWriter, log: Logger) throws(SystemError) {
        ceiling = Mutex(limit.map { MemoryCeiling(limit: $0) })
        self.metrics = metrics
        self.log = log
        thread = try WatchThread(named: "memory")
    }

    func start() throws(SystemError) {
        guard ceiling.withLock({ $0 != nil }) else { return }
        try thread.start { [self] in
            look()
            return 250
        }
    }

    func stop() { thread.stop() }

    /// Goes by another limit; nil: by none.
    func resume(with limit: Int64?) throws(SystemError) {
        ceiling.withLock { ceiling in
            guard ceiling?.limit != limit else { return }
            ceiling = limit.map { MemoryCeiling(limit: $0) }
            metrics.memoryLevel = MemoryLevel.normal.rawValue
        }
        try start()
    }

    private func look() {
        ceiling.withLock { ceiling in
            guard var used = Machine.residentBytes, let limit = ceiling?.limit, let before = ceiling?.level else {
                return
            }
            if used >= limit {
                Machine.releaseFreeMemory()
                used = Machine.residentBytes ?? used
            }
            guard let level = ceiling?.note(used: used), level != before else { return }
            metrics.memoryLevel = level.rawValue
            let sizes = "\(used >> 20) MiB in use, memory_limit is \(limit >> 20) MiB"
            switch level {
            case .normal: log.notice("there is memory again: \(sizes)")
            case .short: log.warning("short of memory, new work is turned away: \(sizes)")
            case .exhausted: log.warning("short of memory, new connections are turned away: \(sizes)")
            }
        }
    }
}
