package import Reactor

/// How often something may happen on one HTTP/2 connection.
package typealias HTTP2Rate = RateLimit

/// What a client may cost us on one HTTP/2 connection. Each bound has its counter in `HTTP2Abuse`.
package struct HTTP2Limits: Sendable {
    /// Open streams. More are refused, one by one (RFC 9113 section 5.1.2).
    package var concurrentStreams: UInt32 = 256
    /// Bytes, as HTTP/1.1 text, of the heads of all requests that are under way: HPACK makes much of little. A stream
    /// whose head goes beyond it is refused.
    package var openHeadBytes = 4 * 1_048_576
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
    /// One `receive` stops before the frame that follows so many, so that a flood of them cannot keep others waiting. A
    /// frame of a header block counts as sixteen: these are eighteen requests at once.
    package var framesPerCall = 320
    /// The same for the rest of what one call has left.
    package var framesPerRest = 128
    /// It stops, too, before the header block that follows so many bytes of heads: HPACK makes much of little.
    package var headTextPerCall: UInt32 = 16_384
    /// Response bytes of all streams that may wait for their windows, or for the connection. A stream gets a quarter of
    /// what is left of it, so that those that stall leave something for those that do not.
    package var bufferedBytes = 1_048_576
    /// What one stream may have of it at most.
    package var streamBytes = 131_072
    /// What each stream may have however little is left, so that small replies always pass.
    package var streamFloor = 4_096
    /// A stream reports `drained` when its pending bytes fall to this, or to nothing. So many may wait beyond its window.
    package var lowWatermarkBytes = 16_384
    /// Frames, DATA aside, that wait for a client that does not read.
    package var queuedFrames = 1_024

    /// Streams cancelled by the client or ended for its mistakes. Each answered request gives one back.
    package var resets = HTTP2Rate(perSecond: 50, burst: 500)
    /// Streams opened beyond what may be open.
    package var refusals = HTTP2Rate(perSecond: 100, burst: 1_000)
    package var pings = HTTP2Rate(perSecond: 50, burst: 200)
    package var settings = HTTP2Rate(perSecond: 5, burst: 50)
    /// DATA frames without data that do not end a stream.
    package var emptyData = HTTP2Rate(perSecond: 50, burst: 200)
    /// PRIORITY and GOAWAY frames.
    package var priorities = HTTP2Rate(perSecond: 100, burst: 1_000)
    /// Frames that come to nothing: of types that we do not know (PRIORITY_UPDATE, ALTSVC and ORIGIN among them), and
    /// on streams that are gone. Each answered request gives two back.
    package var ignoredFrames = HTTP2Rate(perSecond: 200, burst: 1_000)
    /// Each DATA frame that we send gives four back.
    package var windowUpdates = HTTP2Rate(perSecond: 500, burst: 2_000)
    /// Bytes of request heads as HTTP/1.1 text, as many requests as they are.
    package var headText = HTTP2Rate(perSecond: 32 * 1_048_576, burst: 2 * 1_048_576)
    /// CONTINUATION frames of one header block.
    package var blockContinuations = 8
    /// CONTINUATION frames of all header blocks.
    package var continuations = HTTP2Rate(perSecond: 500, burst: 500)

    package init() {}
}
