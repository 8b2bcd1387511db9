package import Kernel
import Synchronization
import TLS

/// A handful of MCP clients at once: each opens a session on a connection of its own, calls tools at a modest pace,
/// says goodbye now and then and begins anew. All the while it watches whether the session keeps its replica.
///
/// One thread a session, so that a session reads from top to bottom.
package final class DemoClient: Sendable {
    private let dialler: DemoDialler
    private let sessions: Int
    private let shared = DemoShared()
    private let threads = Mutex<[DemoThread]>([])

    /// Clients for the server at `address`: over TLS if `trustPEM` says whose certificates to accept (they must bear
    /// `serverName`), else in clear. `sessions` is 1...1000. Fails if the PEM cannot be read.
    package init(
        address: SocketAddress, trustPEM: [UInt8]?, serverName: String = "localhost", sessions: Int = 12
    ) throws {
        let context = try trustPEM.map { try TLSClientContext(trust: .certificates($0)) }
        dialler = DemoDialler(address: address, context: context, serverName: serverName)
        self.sessions = min(max(1, sessions), 1_000)
    }

    deinit { stop() }

    /// Begins; only the first call does anything.
    package func start() throws(SystemError) {
        try threads.withLock { (threads) throws(SystemError) in
            guard threads.isEmpty, !shared.stop.isAsked else { return }
            for index in 0..<sessions {
                let (dialler, shared) = (dialler, shared)
                threads.append(try DemoThread(named: "demo-\(index)") { DemoRunner.run(dialler, shared) })
            }
        }
    }

    /// Ends every session and returns when its thread has ended, within a second. May be called again.
    package func stop() {
        shared.stop.ask()
        threads.withLock { threads in
            for thread in threads { thread.join() }
            threads = []
        }
    }

    /// What has happened so far.
    package var figures: DemoFigures { shared.figures.withLock { $0 } }
}

/// What the sessions' threads have in common.
final class DemoShared: Sendable {
    let stop: DemoStop
    let figures = Mutex(DemoFigures())

    init() { stop = DemoStop() }
}

/// A thread that can stand in an array.
private final class DemoThread: Sendable {
    private let thread: Mutex<Thread?>

    init(named name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        thread = Mutex(try Thread(named: name, run))
    }

    func join() {
        thread.withLock { $0.take()?.join() }
    }
}

/// Tells the sessions' threads to end: they look at it between calls and while they wait.
final class DemoStop: Sendable {
    private let asked = Atomic(false)

    var isAsked: Bool { asked.load(ordering: .acquiring) }

    func ask() { asked.store(true, ordering: .releasing) }
}
