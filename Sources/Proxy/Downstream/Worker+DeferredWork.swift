import Kernel
import Reactor

/// Work that is dear and that clients can ask for at will: what a new connection says first, handshakes above all,
/// floods of HTTP/2 frames and the requests in them, and what they leave behind. It is done after everything else of a
/// turn, one connection after the other, for a fraction of a millisecond; what is left waits for the next turn. So a call
/// that comes during a flood waits for that fraction and not for the flood, whether that is on one connection or on a new
/// one every time.
extension Worker where Outside: ~Copyable {
    /// How long a turn goes on with dear work. What has begun is finished.
    private static var deferredBudget: Interval { Interval(nanoseconds: 50_000) }
    /// Steps of it in a turn, for when the clock stands.
    private static var deferredStepLimit: Int { 64 }

    /// A connection that has not asked for anything yet.
    func hasServedNothing(_ c: Handle) -> Bool {
        switch clients[c].phase {
        case .handshaking: true
        case .reading: !clients[c].hasServed && clients[c].stream == 0
        case .exchanging, .http2, .lingering, .awaitingProxyHeader: false
        }
    }

    /// What the client sends has time: it is a stranger, or its bytes are thrown away.
    func isLowPriority(_ c: Handle) -> Bool { clients[c].phase == .lingering || hasServedNothing(c) }

    /// Does a turn's share of dear work.
    mutating func runDeferred() {
        guard !clients.deferred.isEmpty else { return }
        let end = io.world.now() + Worker.deferredBudget
        clients.isRunningDeferred = true
        defer { clients.isRunningDeferred = false }
        for _ in 0..<Worker.deferredStepLimit {
            guard let c = clients.deferred.popFirst() else { return }
            guard clients.contains(c) else { continue }
            clients[c].isResuming = false
            runDeferred(c)
            if io.world.now() >= end { return }
        }
    }

    private mutating func runDeferred(_ c: Handle) {
        if isOrphan(c) {
            abortExchange(of: c)
            removeStream(c)
        } else if clients[c].stream != 0 {
            resumeClient(c)
        } else if clients[c].phase == .http2, !clients[c].input.isEmpty {
            receiveSavedFrames(c)
            if clients.contains(c), clients[c].mayRead { clients.deferLater(c) }
        } else {
            readClient(c)
        }
    }
}
