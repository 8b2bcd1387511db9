import Kernel
import Proxy
import Synchronization

/// Sends the dashboard's figures to whoever watches: one thread, which runs while somebody does.
///
/// Each event has the parts that have changed since the last one that the client got. Of a client that is slow, events are
/// lost, and the next one that it gets has everything.
final class DashboardUpdates: Sendable {
    /// Clients at a time.
    static var limit: Int { 32 }
    /// Events in a row that may be lost before a client counts as gone.
    private static var longestLoss: Int { 60 }

    typealias Respond = @Sendable (AdminResponse) -> Void

    private struct Subscriber {
        let stream = AdminStream()
        /// Who waits for the response; nil once it was given.
        var respond: Respond?
        /// Up to which update it has everything; -1: it has nothing.
        var seen = -1
        var lost = 0
        var lostInARow = 0
    }

    private struct State {
        /// Those whose response is to come.
        var arrivals: [Respond] = []
        /// With those that have it.
        var count = 0
        var hasThread = false
        var isStopped = false
    }

    private let sources: DashboardSources
    private let pause: CInt
    private let state = Mutex(State())

    init(_ sources: DashboardSources, every milliseconds: CInt) {
        self.sources = sources
        pause = milliseconds
    }

    /// Answers with a stream, or says why there is none.
    func subscribe(_ respond: @escaping Respond) {
        let refusal: String? = state.withLock { state in
            guard !state.isStopped else { return "the process ends\n" }
            guard state.count < Self.limit else { return "\(Self.limit) watch already\n" }
            if !state.hasThread {
                do throws(SystemError) {
                    let bell = try Wake()
                    try Thread(named: "dashboard") { [self] in run(bell) }.detach()
                } catch {
                    return "cannot start a thread: \(error)\n"
                }
                state.hasThread = true
            }
            state.count += 1
            state.arrivals.append(respond)
            return nil
        }
        if let refusal { respond(AdminResponse(status: 503, body: refusal)) }
    }

    /// Ends all streams, soon.
    func stop() { state.withLock { $0.isStopped = true } }

    private func run(_ clock: Wake) {
        var parts = DashboardParts(sources)
        var versions = PartVersions()
        var subscribers: [Subscriber] = []
        while true {
            let (arrivals, isStopped) = state.withLock { state in
                defer { state.arrivals = [] }
                return (state.arrivals, state.isStopped)
            }
            subscribers += arrivals.map { Subscriber(respond: $0) }
            if isStopped { break }
            versions.note(parts.make())
            for index in subscribers.indices { update(&subscribers[index], versions) }
            subscribers.removeAll { $0.stream.isClosed }
            let mayEnd = state.withLock { state in
                state.count = subscribers.count + state.arrivals.count
                if state.count == 0 { state.hasThread = false }
                return state.count == 0
            }
            if mayEnd { return }
            clock.sleep(milliseconds: pause)
        }
        for subscriber in subscribers {
            subscriber.respond?(AdminResponse(status: 503, body: "the process ends\n"))
            subscriber.stream.end()
        }
    }

    private func update(_ subscriber: inout Subscriber, _ versions: PartVersions) {
        if let respond = subscriber.respond {
            var response = AdminResponse(
                status: 200, contentType: "text/event-stream", body: "retry: 2000\n\n" + versions.event(after: -1))
            response.stream = subscriber.stream
            subscriber.respond = nil
            subscriber.seen = versions.current
            respond(response)
            return
        }
        let lost = subscriber.stream.lost
        if lost != subscriber.lost {
            subscriber.lost = lost
            subscriber.lostInARow += 1
            subscriber.seen = -1
        } else {
            subscriber.lostInARow = 0
        }
        guard subscriber.lostInARow < Self.longestLoss else {
            subscriber.stream.end()
            return
        }
        if case .accepted = subscriber.stream.send(versions.event(after: subscriber.seen)) {
            subscriber.seen = versions.current
        }
    }
}

/// The parts of the dashboard's figures, and in which update each has changed last.
struct PartVersions {
    private struct Part {
        var name: String
        var json: String
        var changedAt: Int
    }

    private var parts: [Part] = []
    /// The number of the newest update; -1: there was none.
    private(set) var current = -1

    /// Takes what the parts are now, in the same order every time. Parts may be added at the end.
    mutating func note(_ new: [(name: String, json: String)]) {
        current += 1
        for (index, part) in new.enumerated() {
            if index == parts.count {
                parts.append(Part(name: part.name, json: part.json, changedAt: current))
            } else if parts[index].json != part.json {
                parts[index].json = part.json
                parts[index].changedAt = current
            }
        }
    }

    /// An event (HTML, server-sent events) with what has changed after update `seen`.
    func event(after seen: Int) -> String {
        let changed = parts.filter { $0.changedAt > seen }.map { "\"\($0.name)\":\($0.json)" }
        let now = "\"now\":\(DashboardNames.wallMilliseconds)"
        return "event: figures\ndata: {\(([now] + changed).joined(separator: ","))}\n\n"
    }
}
