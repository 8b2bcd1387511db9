import CNghttp2
package import Kernel
package import Reactor

/// The server's side of an HTTP/2 connection (RFC 9113) over nghttp2: bytes in, events out, and back. Every stream is
/// shown as an HTTP/1.1 client: requests come as HTTP/1.1 heads, responses are given as such.
///
/// Calls for a stream that is gone do nothing. No call keeps a pointer to its arguments.
package struct HTTP2Session: ~Copyable {
    package init?(limits: HTTP2Limits, now: Instant) { return nil }

    /// Feeds received bytes. False: connection error; what `send` still gives (GOAWAY) must go out, then close.
    package mutating func receive(_ bytes: borrowing ByteBuffer, now: Instant, events: inout HTTP2Events) -> Bool {
        false
    }

    /// Appends what may be sent to `wire` until about `limit` bytes were added (a frame more at most).
    package mutating func send(into wire: inout ByteBuffer, limit: Int, events: inout HTTP2Events) {}

    /// Sends a response's head: `head[range]` is its HTTP/1.1 text (status line, fields, blank line), interim (1xx)
    /// or final. Connection-specific fields are dropped. False if the stream is gone or the head is no such text.
    package mutating func respond(
        stream: Int32, head: borrowing ByteBuffer, _ range: Range<Int>, endsStream: Bool
    ) -> Bool { false }

    /// Queues body bytes of the response, until the client's window allows them. False if the stream is gone.
    package mutating func write(stream: Int32, _ bytes: borrowing ByteBuffer, _ range: Range<Int>) -> Bool { false }

    /// Ends the response after what is pending.
    package mutating func finish(stream: Int32) {}

    /// Ends the response with trailer fields: `trailers[range]` is HTTP/1.1 field lines.
    package mutating func finish(stream: Int32, trailers: borrowing ByteBuffer, _ range: Range<Int>) {}

    /// Ends the stream at once with RST_STREAM; pending bytes are dropped, no event follows.
    package mutating func reset(stream: Int32, code: HTTP2ErrorCode) {}

    /// Response body bytes that the client's window has not allowed yet.
    package func pendingBytes(stream: Int32) -> Int { 0 }

    /// Gives the client room for `count` more body bytes: so many were passed on.
    package mutating func consumed(stream: Int32, _ count: Int) {}

    /// Announces the end with GOAWAY. With `isFinal` streams opened from now on are refused; without it is the notice
    /// that comes first (RFC 9113 section 6.8), so that no request is under way when the final one follows.
    package mutating func goAway(isFinal: Bool) {}

    /// Whether `send` has something to give.
    package var wantsWrite: Bool { false }

    /// Nothing is left to read or to write: the connection may be closed.
    package var isFinished: Bool { true }

    /// Streams that are open.
    package var streams: Int { 0 }

    /// What the client has done too often.
    package var abuse: HTTP2Abuse { HTTP2Abuse() }
}
