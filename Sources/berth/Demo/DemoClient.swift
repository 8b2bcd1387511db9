package import Kernel
import Synchronization
import TLS

/// Concurrent MCP clients. Each opens a session on a connection of its own, calls tools up to 20 times a second, ends
/// the session after a while and begins another. Every result is checked: the session must stay with its replica.
///
/// Each session has a thread, so that its steps are sequential code.
package final class DemoClient: Sendable {
    private let target: DemoTarget
    private let sessions: Int
    private let shared = DemoShared()
    private let threads = Mutex<[DemoThread]>([])

    /// Clients of the server at `address`. `trustPEM`: the certificates to trust, for TLS; nil for plain HTTP.
    /// `serverName`: the name in the server's certificate. `sessions` is clamped to 1...1000. Throws if the PEM is
    /// invalid.
    package init(
        address: SocketAddress, trustPEM: [UInt8]?, serverName: String = "localhost", sessions: Int = 12
    ) throws {
        let context = try trustPEM.map { try TLSClientContext(trust: .certificates($0)) }
        target = DemoTarget(address: address, context: context, serverName: serverName)
        self.sessions = min(max(1, sessions), 1_000)
    }

    deinit { stop() }

    /// Starts the threads. Later calls have no effect. Throws if a thread cannot be created.
    package func start() throws(SystemError) {
        try threads.withLock { (threads) throws(SystemError) in
            guard threads.isEmpty, !shared.stop.isSet else { return }
            for index in 0..<sessions {
                let (target, shared) = (target, shared)
                threads.append(try DemoThread(named: "demo-\(index)") { DemoSessionLoop.run(target, shared) })
            }
        }
    }

    /// Ends all sessions and waits for their threads, a second at most. May be called again.
    package func stop() {
        shared.stop.set()
        threads.withLock { threads in
            for thread in threads { thread.join() }
            threads = []
        }
    }

    /// The counts so far.
    package var statistics: DemoStatistics { shared.statistics.withLock { $0 } }
}

/// State that the threads share.
final class DemoShared: Sendable {
    let stop: DemoStopFlag
    let statistics = Mutex(DemoStatistics())

    init() { stop = DemoStopFlag() }
}

/// A thread in an array: `Thread` itself is noncopyable.
private final class DemoThread: Sendable {
    private let thread: Mutex<Thread?>

    init(named name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        thread = Mutex(try Thread(named: name, run))
    }

    func join() {
        thread.withLock { $0.take()?.join() }
    }
}

/// Set to end the threads, which read it between calls and while they wait.
final class DemoStopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}
