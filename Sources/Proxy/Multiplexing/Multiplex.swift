import HTTP
import Reactor

/// An HTTP/2 connection's streams. The connection itself is a client like any other, and so is each of its streams: a
/// client without a socket, whose bytes are HTTP/1.1 text that the session made or will translate.
struct Multiplex: ~Copyable {
    let connection: Handle
    var session: HTTP2Session
    /// The clients that stand for the streams, by stream id.
    var streams: [Int32: Handle] = [:]
    /// In the worker's list of those with frames to send.
    var isDirty = false
    /// The session has failed: what it still says goes out, then the connection closes.
    var isBroken = false
}
