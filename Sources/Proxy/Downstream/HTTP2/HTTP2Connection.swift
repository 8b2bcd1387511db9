import HTTP
import Kernel
import Reactor

/// An HTTP/2 connection's streams. The connection itself is a client like any other, and so is each of its streams: a
/// client without a socket, whose bytes are HTTP/1.1 text that the session made or will translate.
struct HTTP2Connection: ~Copyable {
    let connection: Handle
    var session: HTTP2Session
    /// The clients that stand for the streams, by stream id.
    var streams: [Int32: Handle] = [:]
    /// In the worker's list of those with frames to send.
    var isDirty = false
    /// The session has failed: what it still says goes out, then the connection closes.
    var isBroken = false
    var goAwayState = GoAwayState.none
    /// When the last farewell was said.
    var goAwaySentAt = Instant.never

    /// How far GOAWAY has got (RFC 9113 section 6.8).
    enum GoAwayState {
        case none
        /// The client was told; streams that it opens all the same, not knowing yet, are served.
        case notice
        /// No new streams.
        case final
    }
}
