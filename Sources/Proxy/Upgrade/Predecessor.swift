package import Discovery
package import Kernel
package import Logging
import Synchronization

/// The process whose place this one takes, as it is reached from here.
package final class Predecessor: Sendable {
    private let channel: LineChannel
    private let isOver = Atomic(false)

    init(_ channel: LineChannel) { self.channel = channel }

    /// Hears what the predecessor knows, until it has said all or `limit` is over; what it said until then is good.
    package func state(within limit: Interval) -> HandoverState {
        var state = HandoverState()
        let deadline = Instant.now() + limit
        while case .line(let line) = channel.nextLine(until: deadline) {
            guard let message = HandoverMessage(line) else { continue }
            if message == .complete {
                state.isComplete = true
                return state
            }
            state.add(message)
        }
        return state
    }

    /// Says that all workers accept at all sockets but these, whereupon the predecessor leaves its listeners. False if it is
    /// not there any more.
    @discardableResult
    package func reportReady(unused: [Descriptor]) -> Bool {
        channel.send(HandoverMessage.ready(unused: unused).line + "\n", until: Instant.now() + .seconds(10))
    }

    /// Says why this process will not take over.
    package func reportFailure(_ reason: String) {
        let line = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        _ = channel.send(HandoverMessage.failed(line).line + "\n", until: Instant.now() + .seconds(1))
        channel.shutDown()
    }

    /// Takes over what the predecessor counts and learns while it drains, and tells it of new sessions, until it ends. On
    /// threads of their own.
    package func follow(into proxy: ProxyServer, _ state: HandoverState, log: Logger) {
        do throws(SystemError) {
            try Thread(named: "handover") { [self] in
                var totals = state
                while case .line(let line) = channel.nextLine(until: .never) {
                    if let message = HandoverMessage(line) { proxy.take(message, after: &totals) }
                }
                isOver.store(true, ordering: .releasing)
                proxy.changes.ring()
                log.notice("the process before has ended")
            }.detach()
            try Thread(named: "handback") { [self] in tell(proxy) }.detach()
        } catch {
            log.warning("what the process before counts from here on is lost: cannot start a thread: \(error)")
        }
    }

    private func tell(_ proxy: ProxyServer) {
        while !isOver.load(ordering: .acquiring), proxy.handover.tellsPredecessor.load(ordering: .relaxed) {
            let text = proxy.sessionChangeLines()
            guard channel.send(text, until: Instant.now() + .seconds(10)) else { break }
            proxy.changes.sleep(milliseconds: 500)
        }
        proxy.stopTellingPredecessor()
    }
}

/// What a predecessor knew when this process started.
package struct HandoverState: Sendable {
    /// It has said all of it.
    package internal(set) var isComplete = false
    var servers: [(id: ServerID, health: HandoverMessage.Health, key: String)] = []
    var upstreams: [(id: ServerID, key: String)] = []
    /// What operators have ordered of servers.
    package private(set) var orders = ServerOrders()
    /// Servers that were found, and are in use.
    private var discovered: [HandoverServer] = []
    /// The last value of each counter.
    var totals: [Counter: Int64] = [:]
    /// The last of each, by what they are of.
    var histograms: [String: HandoverHistogram] = [:]
    var sessionKey: [UInt8]?
    var sessions: [(key: SessionKey, entry: LearnedSessions.Entry)] = []
    var records: [HandoverRecord] = []

    /// One counter of the predecessor's.
    enum Counter: Hashable {
        case server(slot: UInt16, name: String)
        case process(group: String, name: String)
    }

    package init() {}

    /// An empty table in which the predecessor's sessions are found again; nil if it learned none.
    package var emptySessionTable: LearnedSessions? {
        guard let sessionKey, sessionKey.count == 32 else { return nil }
        return LearnedSessions(limit: 1_000_000, key: sessionKey)
    }

    /// The servers that were found, by upstream.
    package var discoveredServers: [String: [DiscoveredServer]] { discovered(thatLeave: false) }
    /// Those that have vanished since, and finish what they have.
    package var leavingServers: [String: [DiscoveredServer]] { discovered(thatLeave: true) }

    private func discovered(thatLeave: Bool) -> [String: [DiscoveredServer]] {
        Dictionary(grouping: discovered.filter { $0.isLeaving == thatLeave }, by: \.upstream).mapValues {
            $0.map(\.server)
        }
    }

    /// The server that had a slot.
    func server(inSlot slot: UInt16) -> ServerID? { servers.first { $0.id.slot == slot }?.id }

    mutating func add(_ message: HandoverMessage) {
        switch message {
        case .server(let id, let health, let key): servers.append((id, health, key))
        case .upstream(let id, let key): upstreams.append((id, key))
        case .drained(let key): orders.drained.insert(key)
        case .disabled(let key): orders.disabled.insert(key)
        case .weight(let weight, let key): orders.weights[key] = weight
        case .discovered(let server): discovered.append(server)
        case .serverCounter(let slot, let name, let value): totals[.server(slot: slot, name: name)] = value
        case .counter(let group, let name, let value): totals[.process(group: group, name: name)] = value
        case .histogram(let histogram):
            guard histograms.count < 2 * HandoverHistogram.maximum else { return }
            histograms[histogram.identity] = histogram
        case .sessionKey(let key): sessionKey = key
        case .session(let key, let entry): sessions.append((key, entry))
        case .record(let record): records.append(record)
        case .sessionEnded, .recordEnded, .complete, .ready, .failed: break
        }
    }
}
