package import Kernel
import Synchronization

/// A small honest MCP server that speaks every revision of the protocol over HTTP on one port: Streamable HTTP with
/// sessions (2025-03-26 to 2025-11-25) and the stateless core (2026-07-28) at `/mcp`, HTTP+SSE (2024-11-05) at `/sse`
/// and `/messages/`. `GET /healthz` answers `ok`.
///
/// One thread, one epoll, no queue without a bound. Its tools show what a proxy does to a session: `whoami` names the
/// replica and counts the session's calls. A client that disconnects cancels its calls in every revision.
package final class SampleServer: Sendable {
    /// What may differ from one server to the next.
    package struct Options: Sendable {
        /// Answers calls of the session eras with event streams where JSON would do.
        package var answersWithEvents: Bool
        /// Sessions at once, legacy ones included; more are refused with 503. At least 1.
        package var maximumSessions: Int
        /// A session that neither called nor held a stream for so long is gone; its id gets 404. Legacy sessions live
        /// as long as their stream.
        package var sessionIdle: Interval
        /// Sockets at once; more are closed as they come. At least 1.
        package var maximumConnections: Int
        /// Results of tools are filled up to so many bytes with spaces after the JSON; longer ones stay as they are.
        package var replyBytes: Int
        /// How many events a second each session's own stream gets, that of a GET or a legacy one: notifications
        /// `{"sequence":n,"monotonicNanoseconds":t}` with n from 1 in each stream and t of CLOCK_MONOTONIC. 0 for none.
        package var eventsPerSecond: Double

        package init(
            answersWithEvents: Bool = false, maximumSessions: Int = 10_000, sessionIdle: Interval = .seconds(1_800),
            maximumConnections: Int = 65_536, replyBytes: Int = 0, eventsPerSecond: Double = 0
        ) {
            self.answersWithEvents = answersWithEvents
            self.maximumSessions = max(1, maximumSessions)
            self.sessionIdle = sessionIdle
            self.maximumConnections = max(1, maximumConnections)
            self.replyBytes = max(0, replyBytes)
            self.eventsPerSecond = max(0, eventsPerSecond)
        }
    }

    private enum Stage: ~Copyable {
        case bound(SampleLoop)
        case running(Thread)
        case stopped
    }

    /// Where the server listens, with the port the kernel chose where 0 was asked for.
    package let address: SocketAddress
    /// What `whoami` calls this replica.
    package let name: String
    private let bell: Bell
    private let stage: Mutex<Stage>

    /// Opens the listener; connections queue in its backlog until `start`. Fails as socket, bind and epoll do.
    package init(name: String, address: SocketAddress, options: Options = Options()) throws(SystemError) {
        let bell = try Bell()
        let loop = try SampleLoop(name: name, address: address, options: options, bell: bell)
        self.name = name
        self.address = loop.address
        self.bell = bell
        stage = Mutex(.bound(loop))
    }

    deinit { stop() }

    /// Serves on a thread of its own until `stop`. Only the first call does anything.
    package func start() throws(SystemError) {
        try stage.withLock { (stage) throws(SystemError) in
            switch consume stage {
            case .bound(let loop):
                let handover = Handover(loop)
                do throws(SystemError) {
                    stage = .running(try Thread(named: "sample") { handover.run() })
                } catch {
                    handover.shut()
                    stage = .stopped
                    throw error
                }
            case .running(let thread): stage = .running(thread)
            case .stopped: stage = .stopped
            }
        }
    }

    /// Closes the listener and every connection, and returns when the thread has ended. May be called again.
    package func stop() {
        bell.ask()
        stage.withLock { stage in
            switch consume stage {
            case .bound(var loop): loop.shut()
            case .running(let thread): thread.join()
            case .stopped: break
            }
            stage = .stopped
        }
    }
}

/// Asks a loop on another thread to end.
final class Bell: Sendable {
    private let wake: Wake
    private let asked = Atomic(false)

    init() throws(SystemError) { wake = try Wake() }

    var descriptor: Descriptor { wake.descriptor }
    var isAsked: Bool { asked.load(ordering: .acquiring) }

    func ask() {
        asked.store(true, ordering: .releasing)
        wake.ring()
    }
}

/// Carries a loop to the thread that runs it. Unchecked because nobody else looks at it once the thread has it.
private final class Handover: @unchecked Sendable {
    private var loop: SampleLoop

    init(_ loop: consuming SampleLoop) { self.loop = loop }

    func run() { loop.run() }
    func shut() { loop.shut() }
}
