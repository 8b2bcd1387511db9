import Kernel
import Reactor

/// Counts a client's expensive actions on a connection, and the limit that it has exceeded.
package struct HTTP2Abuse: Sendable {
    /// A limit whose excess ends the connection with ENHANCE_YOUR_CALM (RFC 9113 section 7).
    package enum Limit: UInt8, Sendable, CaseIterable {
        case none
        case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
        /// A header list exceeded its limits by more than `HTTP2Limits.excessFactor`.
        case headerList
        /// Request heads, as HTTP/1.1 text, exceeded `HTTP2Limits.headText`.
        case headText
        /// More frames wait for the client than `HTTP2Limits.queuedFrames`.
        case queuedFrames
        /// A head or a frame was not whole in time.
        case slowHead
    }

    /// The limit that was exceeded; `none` as long as none was.
    package internal(set) var exceededLimit = Limit.none

    /// RST_STREAM frames received, and streams reset because of the client.
    package var resets: UInt32 { resetLimiter.count }
    /// Streams refused because too many were open.
    package var refusals: UInt32 { refusalLimiter.count }
    /// PING frames received.
    package var pings: UInt32 { pingLimiter.count }
    /// SETTINGS frames received.
    package var settings: UInt32 { settingsLimiter.count }
    /// DATA frames received without data that did not end a stream.
    package var emptyData: UInt32 { emptyDataLimiter.count }
    /// PRIORITY and GOAWAY frames received.
    package var priorities: UInt32 { priorityLimiter.count }
    /// WINDOW_UPDATE frames received.
    package var windowUpdates: UInt32 { windowUpdateLimiter.count }
    /// CONTINUATION frames received.
    package var continuations: UInt32 { continuationLimiter.count }
    /// Frames received that had no effect.
    package var ignoredFrames: UInt32 { ignoredFrameLimiter.count }
    /// Requests answered with 431, and trailers refused for their size.
    package internal(set) var largeHeads: UInt32 = 0
    /// Streams reset with PROTOCOL_ERROR, nearly all of them for a malformed request (RFC 9113 section 8.1.1).
    package internal(set) var malformed: UInt32 = 0

    var resetLimiter = RateLimiter()
    var refusalLimiter = RateLimiter()
    var pingLimiter = RateLimiter()
    var settingsLimiter = RateLimiter()
    var emptyDataLimiter = RateLimiter()
    var priorityLimiter = RateLimiter()
    var windowUpdateLimiter = RateLimiter()
    /// WINDOW_UPDATE frames that DATA frames sent have allowed and the client has not sent yet.
    var windowUpdateAllowance: UInt32 = 0
    var continuationLimiter = RateLimiter()
    var ignoredFrameLimiter = RateLimiter()
    var headTextLimiter = RateLimiter()

    init() {}
}

/// An action of a client that is to be counted. Only the last ends the connection.
package enum HTTP2ProtocolEvent: Sendable {
    /// A request was answered 431, or its trailers were refused for their size.
    case largeHead
    /// A stream was reset with PROTOCOL_ERROR.
    case malformed
    /// A stream was refused because too many were open.
    case refused
    /// The connection ended because the client violated the protocol.
    case broken
}
