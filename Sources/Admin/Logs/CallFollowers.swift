import Kernel
import Proxy
import Synchronization
import Telemetry

/// Sends finished calls, a line each, to whoever follows them at `/logs`.
///
/// It takes calls only while somebody does: otherwise nothing is done for a call. A follower that reads too slowly loses lines,
/// and is told how many.
final class CallFollowers: CallSink, @unchecked Sendable {
    /// Followers at a time.
    static var limit: Int { 16 }

    private struct State {
        /// Those that the feed's thread has not seen yet.
        var arrivals: [CallFollower] = []
        /// With those that it has.
        var count = 0
    }

    private let proxy: ProxyServer
    private let state = Mutex(State())
    private let hasArrivals = Atomic(false)
    // Only the feed's thread uses these.
    private var followers: [CallFollower] = []
    private var dropped = 0

    init(_ proxy: ProxyServer) { self.proxy = proxy }

    /// Answers `GET /logs?follow=1` with a stream, or says why there is none.
    func answer(_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) {
        let filter: CallFilter
        do throws(CallFilter.Fault) {
            filter = try CallFilter(query: request.query)
        } catch {
            return respond(AdminResponse(status: 400, body: "\(error.text)\n"))
        }
        // As the access log marks slow calls, whether there is one or not.
        let slowFrom = proxy.snapshot.logs.access.map(\.rule.slow) ?? CallLog.Rule().slow
        let follower = CallFollower(CallLines(filter, slowFrom: slowFrom))
        if let refusal = admit(follower) { return respond(AdminResponse(status: 503, body: "\(refusal)\n")) }
        var response = AdminResponse(status: 200, contentType: "application/x-ndjson", body: "")
        response.stream = follower.stream
        respond(response)
    }

    /// Takes a follower in; otherwise says why not.
    private func admit(_ follower: CallFollower) -> String? {
        state.withLock { state in
            guard state.count < Self.limit else { return "\(Self.limit) follow already" }
            if state.count == 0 {
                do throws(SystemError) {
                    try proxy.calls.add(self)
                } catch {
                    return "cannot start a thread: \(error)"
                }
            }
            state.count += 1
            state.arrivals.append(follower)
            hasArrivals.store(true, ordering: .releasing)
            return nil
        }
    }

    // MARK: - On the feed's thread

    func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        if hasArrivals.load(ordering: .acquiring) { takeArrivals() }
        for follower in followers { follower.receive(event, names) }
    }

    func flush(at now: Instant) {
        if hasArrivals.load(ordering: .acquiring) { takeArrivals() }
        let lost = proxy.calls.dropped - dropped
        dropped += lost
        for follower in followers { follower.send(at: now, lost: lost) }
        guard followers.contains(where: \.stream.isClosed) else { return }
        followers.removeAll(where: \.stream.isClosed)
        state.withLock { state in
            state.count = followers.count + state.arrivals.count
            if state.count == 0 { proxy.calls.remove(self) }
        }
    }

    /// What is left. Streams end with the control thread.
    func finish() { flush(at: .now()) }

    private func takeArrivals() {
        // What was lost before they came is not theirs.
        if followers.isEmpty { dropped = proxy.calls.dropped }
        followers += state.withLock { state in
            hasArrivals.store(false, ordering: .relaxed)
            defer { state.arrivals = [] }
            return state.arrivals
        }
    }
}

/// One of those who follow calls. Only the feed's thread uses it.
final class CallFollower: @unchecked Sendable {
    /// Bytes that are sent before all calls were received that are there.
    private static var batch: Int { 32 << 10 }
    /// How often a blank line shows that the stream is alive, and that its reader is.
    private static var silence: Interval { .seconds(10) }

    let stream = AdminStream(keepsPieces: true)
    private let lines: CallLines
    private var sentAt = Instant.now()

    init(_ lines: CallLines) { self.lines = lines }

    func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        lines.add(event, names)
        if lines.count >= Self.batch { send(nil) }
    }

    /// Sends what there is. `lost`: calls that no follower has seen since the last time.
    func send(at now: Instant, lost: Int) {
        if lost > 0 { lines.noteLost(lost) }
        send(now)
    }

    private func send(_ now: Instant?) {
        guard stream.isReady else { return }
        var piece = stream.takeReturned() ?? lines.take()
        if piece == nil, let now, now - sentAt >= Self.silence { piece = "\n" }
        guard let piece else { return }
        if let now { sentAt = now }
        stream.send(piece)
    }
}
