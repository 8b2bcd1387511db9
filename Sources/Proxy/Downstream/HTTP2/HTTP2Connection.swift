import HTTP
import Kernel
import Reactor

/// An HTTP/2 connection's session and streams. The connection itself is a client like any other, and so is each of its
/// streams: a client without a socket, whose bytes are HTTP/1.1 text that the session made or will translate.
struct HTTP2Connection: TurnTaking, ~Copyable {
    /// How far GOAWAY has got (RFC 9113 section 6.8).
    enum GoAwayState {
        case none
        /// The client was told; streams that it opens all the same, not knowing yet, are served.
        case notice
        /// No new streams.
        case final
    }

    /// The client with the socket.
    let client: Handle
    var session: HTTP2Session
    /// The clients that stand for the streams, by stream identifier.
    var streams: [Int32: Handle] = [:]
    /// In the worker's queue of those with frames to send.
    var awaitsTurn = false
    /// The session has failed: what it still says is sent, then the connection closes.
    var isBroken = false
    /// When a head or a frame that has begun must be whole; `never`: none has.
    private(set) var headDeadline = Instant.never
    /// Which one that is, as the session counts them.
    private var unfinished: UInt32 = 0
    private(set) var goAwayState = GoAwayState.none
    /// When the last GOAWAY was sent.
    private(set) var goAwaySentAt = Instant.never

    init(client: Handle, session: consuming HTTP2Session) {
        self.client = client
        self.session = session
    }

    /// Bytes have come: what is not whole then has its time from its first byte on.
    mutating func noteUnfinished(at now: Instant, within timeout: Interval) {
        guard let current = session.unfinished else {
            headDeadline = .never
            return
        }
        if headDeadline == .never || current != unfinished { headDeadline = now + timeout }
        unfinished = current
    }

    /// What is not whole has come too slowly: the session says so, and the connection ends.
    mutating func failUnfinished() {
        session.failUnfinished()
        isBroken = true
    }

    /// Sends first a notice, then the end: no new streams; those there are go on.
    mutating func sendGoAway(at now: Instant) {
        switch goAwayState {
        case .none:
            goAwayState = .notice
            session.goAway(isFinal: false)
        case .notice:
            goAwayState = .final
            session.goAway(isFinal: true)
        case .final:
            return
        }
        goAwaySentAt = now
    }
}
