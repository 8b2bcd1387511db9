import Kernel
import Reactor

/// Work that is expensive and that clients can ask for at will: what a new connection sends first, handshakes above all,
/// floods of HTTP/2 frames and the requests in them, and what they leave behind. It is done after everything else of a
/// turn, one connection after the other, for a fraction of a millisecond; what is left waits for the next turn. So a call
/// that comes during a flood waits for that fraction and not for the flood, whether the flood is on one connection or on
/// a new one every time.
extension Worker where Outside: ~Copyable {
    /// How long a turn goes on with it. A step that has begun is finished.
    private static var deferredBudget: Interval { Interval(nanoseconds: 50_000) }
    /// Steps of it in a turn, for a clock that stands still.
    private static var deferredStepLimit: Int { 64 }

    /// Does a turn's share of the expensive work.
    mutating func runDeferred() {
        guard !clients.deferred.isEmpty else { return }
        let end = io.world.now() + Worker.deferredBudget
        clients.isRunningDeferred = true
        defer { clients.isRunningDeferred = false }
        for _ in 0..<Worker.deferredStepLimit {
            guard let client = clients.deferred.popFirst() else { return }
            guard clients.contains(client) else { continue }
            clients[client].awaitsTurn = false
            runDeferred(client)
            if io.world.now() >= end { return }
        }
    }

    private mutating func runDeferred(_ client: Handle) {
        if clients.isOrphan(client) {
            abortExchange(of: client)
            clients.removeStream(client, &io)
        } else if clients.isStream(client) {
            resumeClient(client)
        } else if clients[client].phase == .http2, !clients[client].transport.input.isEmpty {
            receiveSavedFrames(client)
            if clients.contains(client), clients[client].transport.mayRead { clients.deferLater(client) }
        } else {
            readClient(client)
        }
    }
}
