/// How often something may happen: `perSecond` on average, `burst` at once.
package struct HTTP2Rate: Sendable {
    package var perSecond: UInt32
    package var burst: UInt32

    package init(perSecond: UInt32, burst: UInt32) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What a client may cost us on one HTTP/2 connection. Each bound has its counter in `HTTP2Abuse`.
package struct HTTP2Limits: Sendable {
    /// Open streams. More than that, once the client knows, is a connection error (RFC 9113 section 5.1.2).
    package var concurrentStreams: UInt32 = 256
    /// A header list's bytes as HTTP/1.1 text. Up to `excess` times as much gets a 431; beyond that the connection ends.
    package var headerListBytes = 65_536
    /// Field lines of a head or of trailers, pseudo-header fields aside. As for `headerListBytes`.
    package var fields = 100
    /// How far beyond the two limits above a header list is read to be answered with 431.
    package var excess = 4
    /// Body bytes of one stream that a client may send before we consume any.
    package var initialWindow: UInt32 = 65_535
    /// The same for all streams together.
    package var connectionWindow: UInt32 = 1_048_576
    /// Payload bytes of a frame (16 384 to 16 777 215).
    package var maximumFrame: UInt32 = 16_384
    /// Bytes of events that one `receive` may come to: HPACK makes much of little.
    package var eventBytes = 8 * 1_048_576
    /// A stream reports `roomAgain` when its pending bytes fall to this, or to nothing.
    package var roomBytes = 16_384
    /// Frames, DATA aside, that wait for a client that does not read.
    package var queuedFrames = 1_024

    /// Streams cancelled by the client or ended for its mistakes. Each answered request gives one back.
    package var resets = HTTP2Rate(perSecond: 50, burst: 500)
    package var pings = HTTP2Rate(perSecond: 50, burst: 200)
    package var settings = HTTP2Rate(perSecond: 5, burst: 50)
    /// DATA frames without data that do not end a stream.
    package var emptyData = HTTP2Rate(perSecond: 50, burst: 200)
    /// PRIORITY and GOAWAY frames. Frames of unknown types cost their bytes and are not counted.
    package var priorities = HTTP2Rate(perSecond: 100, burst: 1_000)
    /// Each DATA frame that we send gives four back.
    package var windowUpdates = HTTP2Rate(perSecond: 500, burst: 2_000)
    /// CONTINUATION frames of one header block.
    package var blockContinuations = 8
    /// CONTINUATION frames of all header blocks.
    package var continuations = HTTP2Rate(perSecond: 500, burst: 500)

    package init() {}
}
