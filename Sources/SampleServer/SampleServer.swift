package import Kernel
import Synchronization

/// A small MCP server for tests and demonstrations, with every protocol revision on one port: Streamable HTTP with
/// sessions (2025-03-26 to 2025-11-25) and the stateless protocol (2026-07-28) at `/mcp`, HTTP+SSE (2024-11-05) at
/// `/sse` and `/messages/`. `GET /healthz` answers `ok`.
///
/// It has one thread and one epoll instance, and all its queues are bounded. Its tools show what a proxy does to a
/// session: `whoami` names the server and counts the session's calls. A client that disconnects cancels its calls.
package final class SampleServer: Sendable {
    /// The options of a server.
    package struct Options: Sendable {
        /// Whether calls of revisions with sessions are answered with event streams rather than JSON.
        package var answersWithEvents: Bool
        /// The most sessions, HTTP+SSE sessions included. More are refused with 503. At least 1.
        package var maximumSessions: Int
        /// The time after which a session without calls and without a stream expires. Its id then gets 404. HTTP+SSE
        /// sessions live as long as their stream.
        package var sessionIdle: Interval
        /// The most connections. More are closed when they come. At least 1.
        package var maximumConnections: Int
        /// The least size of a tool's result, in bytes. Shorter ones are padded with spaces after the JSON.
        package var replyBytes: Int
        /// The periodic events a second on each session's stream, that of a GET or of an HTTP+SSE session; 0 for none.
        /// They are notifications `{"sequence":n,"monotonicNanoseconds":t}`, with n from 1 in each stream and t the
        /// time of CLOCK_MONOTONIC.
        package var eventsPerSecond: Double
        /// The path of a file that every executed tool call is written to (`ExecutionLog`); nil for none.
        package var executions: String?
        /// The name in `serverInfo`, where all replicas of a server say the same; nil for the server's own name. With
        /// it, periodic events have the server's own name as `replica`.
        package var product: String?

        /// Stores the options; numbers below their minimum are raised to it.
        package init(
            answersWithEvents: Bool = false, maximumSessions: Int = 10_000, sessionIdle: Interval = .seconds(1_800),
            maximumConnections: Int = 65_536, replyBytes: Int = 0, eventsPerSecond: Double = 0,
            executions: String? = nil, product: String? = nil
        ) {
            self.answersWithEvents = answersWithEvents
            self.maximumSessions = max(1, maximumSessions)
            self.sessionIdle = sessionIdle
            self.maximumConnections = max(1, maximumConnections)
            self.replyBytes = max(0, replyBytes)
            self.eventsPerSecond = max(0, eventsPerSecond)
            self.executions = executions
            self.product = product
        }
    }

    private enum State: ~Copyable {
        case bound(SampleLoop)
        case running(Thread)
        case stopped
    }

    /// The address that the server listens on. If port 0 was requested, it has the port that the kernel chose.
    package let address: SocketAddress
    /// The server's name in the answers of `whoami`.
    package let name: String
    private let stopSignal: StopSignal
    private let state: Mutex<State>

    /// Opens the listener. Connections wait in its backlog until `start`. Throws if socket, bind, listen or epoll
    /// fails, or the file of executions cannot be opened.
    package init(name: String, address: SocketAddress, options: Options = Options()) throws(SystemError) {
        let stopSignal = try StopSignal()
        let loop = try SampleLoop(name: name, address: address, options: options, stopSignal: stopSignal)
        self.name = name
        self.address = loop.address
        self.stopSignal = stopSignal
        state = Mutex(.bound(loop))
    }

    deinit { stop() }

    /// Serves on a new thread until `stop`. Further calls have no effect. Throws if the thread cannot be made.
    package func start() throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            switch consume state {
            case .bound(let loop):
                let owner = LoopOwner(loop)
                do throws(SystemError) {
                    state = .running(try Thread(named: "sample") { owner.run() })
                } catch {
                    owner.closeAll()
                    state = .stopped
                    throw error
                }
            case .running(let thread): state = .running(thread)
            case .stopped: state = .stopped
            }
        }
    }

    /// Closes the listener and every connection, and returns when the thread has ended. Further calls have no effect.
    package func stop() {
        stopSignal.request()
        state.withLock { state in
            switch consume state {
            case .bound(var loop): loop.closeAll()
            case .running(let thread): thread.join()
            case .stopped: break
            }
            state = .stopped
        }
    }
}

/// Requests a loop on another thread to stop.
final class StopSignal: Sendable {
    private let wake: Wake
    private let requested = Atomic(false)

    init() throws(SystemError) { wake = try Wake() }

    var descriptor: Descriptor { wake.descriptor }
    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        wake.ring()
    }
}

/// Owns a loop and moves it to the thread that runs it.
///
/// `@unchecked Sendable`: after the thread has started, only the thread uses the loop.
private final class LoopOwner: @unchecked Sendable {
    private var loop: SampleLoop

    init(_ loop: consuming SampleLoop) { self.loop = loop }

    func run() { loop.run() }
    func closeAll() { loop.closeAll() }
}
