package import Reactor

/// How often something may happen on one HTTP/2 connection.
package typealias HTTP2Rate = RateLimit

/// The limits on one client's HTTP/2 connection. Those that end the connection have a case in `HTTP2Abuse.Limit`.
package struct HTTP2Limits: Sendable {
    /// The most open streams. Each further stream is refused (RFC 9113 section 5.1.2).
    package var concurrentStreams: UInt32 = 256
    /// The most bytes, as HTTP/1.1 text, of the heads of all open streams. HPACK can expand few bytes to many. A stream
    /// whose head would exceed this is refused.
    package var openHeadBytes = 4 * 1_048_576
    /// The most bytes of a header list: names, values and 4 for each field. A larger one is answered with 431. Beyond
    /// `excessFactor` times as much the connection ends.
    package var headerListBytes = 65_536
    /// The most field lines of a head or of trailers, without pseudo-header fields. More are handled as for
    /// `headerListBytes`.
    package var fields = 100
    /// The multiple of the two limits above up to which a header list is read and answered with 431.
    package var excessFactor = 4
    /// The receive window of one stream: body bytes that a client may send before any are consumed.
    package var initialWindow: UInt32 = 65_535
    /// The most body bytes of one request that are read and thrown away behind the end of its response; negative: the rest
    /// is declined at once.
    package var discardedBytes: Int64 = 64 * 1_048_576
    /// The receive window of the connection, in bytes.
    package var connectionWindow: UInt32 = 1_048_576
    /// The most payload bytes of a frame (SETTINGS_MAX_FRAME_SIZE), 16,384 to 16,777,215.
    package var maximumFrame: UInt32 = 16_384
    /// The weight of frames after which one `receive` stops, so that a flood of frames does not delay other
    /// connections. A HEADERS or CONTINUATION frame has weight 16, another frame 1.
    package var framesPerCall = 320
    /// The same for a `receive` of bytes that an earlier one has left.
    package var framesPerRest = 128
    /// The bytes of heads, as HTTP/1.1 text, after which one `receive` stops.
    package var headTextPerCall: UInt32 = 16_384
    /// The most response bytes of all streams that may wait for their windows or for the connection. A stream may use a
    /// quarter of what is free, so that stalled streams leave space for others.
    package var bufferedBytes = 1_048_576
    /// The most response bytes of one stream that may wait.
    package var streamBytes = 131_072
    /// The response bytes that each stream may have waiting even if `bufferedBytes` is reached, so that small responses
    /// are never delayed.
    package var minimumStreamBytes = 4_096
    /// A stream reports `drained` when its pending bytes fall to this or to zero. This many may wait beyond its window.
    package var lowWatermarkBytes = 16_384
    /// The most frames, without DATA, that may wait for a client that does not read.
    package var queuedFrames = 1_024

    /// Streams that the client cancelled, or that were reset for its errors. Each answered request allows one more.
    package var resets = HTTP2Rate(perSecond: 50, burst: 500)
    /// Streams opened beyond `concurrentStreams`.
    package var refusals = HTTP2Rate(perSecond: 100, burst: 1_000)
    /// PING frames.
    package var pings = HTTP2Rate(perSecond: 50, burst: 200)
    /// SETTINGS frames.
    package var settings = HTTP2Rate(perSecond: 5, burst: 50)
    /// DATA frames without data that do not end a stream.
    package var emptyData = HTTP2Rate(perSecond: 50, burst: 200)
    /// PRIORITY and GOAWAY frames.
    package var priorities = HTTP2Rate(perSecond: 100, burst: 1_000)
    /// Frames without effect: of unknown types (PRIORITY_UPDATE, ALTSVC and ORIGIN among them) or on closed streams.
    /// Each answered request allows two more.
    package var ignoredFrames = HTTP2Rate(perSecond: 200, burst: 1_000)
    /// WINDOW_UPDATE frames beyond those that DATA frames sent have allowed: four each.
    package var windowUpdates = HTTP2Rate(perSecond: 500, burst: 2_000)
    /// The most WINDOW_UPDATE frames that the client may still send because of DATA frames. What exceeds it is lost, so it
    /// is larger than any number of frames in flight: a client that returns the windows of each frame answers all of them
    /// at once after it, or its way to us, was slow, and frames may be as small as one byte. This is four for each byte of
    /// a window of 1 MiB.
    package var windowUpdateAllowance: UInt32 = 4 * 1_048_576
    /// Bytes of request heads, as HTTP/1.1 text.
    package var headText = HTTP2Rate(perSecond: 32 * 1_048_576, burst: 2 * 1_048_576)
    /// The most CONTINUATION frames of one header block.
    package var blockContinuations = 8
    /// CONTINUATION frames of all header blocks.
    package var continuations = HTTP2Rate(perSecond: 500, burst: 500)

    /// The defaults.
    package init() {}
}
