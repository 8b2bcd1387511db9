import Kernel
import Reactor

/// What a client has done on a connection that costs more than it should: how often, and whether it was too much.
package struct HTTP2Abuse: Sendable {
    /// Why a connection was ended with ENHANCE_YOUR_CALM.
    package enum Kind: UInt8, Sendable, CaseIterable {
        case none
        case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
        /// A header list far beyond the limits.
        case headerList
        /// Request heads came to more text than they may.
        case headText
        /// More frames wait for the client than may.
        case queuedFrames
    }

    /// The bound that was passed; `none` as long as the connection is fine.
    package internal(set) var verdict = Kind.none

    package var resets: UInt32 { resetGauge.count }
    package var refusals: UInt32 { refusalGauge.count }
    package var pings: UInt32 { pingGauge.count }
    package var settings: UInt32 { settingsGauge.count }
    package var emptyData: UInt32 { emptyDataGauge.count }
    package var priorities: UInt32 { priorityGauge.count }
    package var windowUpdates: UInt32 { windowUpdateGauge.count }
    package var continuations: UInt32 { continuationGauge.count }
    package var ignoredFrames: UInt32 { ignoredGauge.count }
    /// Requests answered with 431 and trailers refused for their size.
    package internal(set) var largeHeads: UInt32 = 0
    /// Streams ended with PROTOCOL_ERROR, nearly all of them for a malformed request (RFC 9113 section 8.1.1).
    package internal(set) var malformed: UInt32 = 0

    var resetGauge = RateLimiter()
    var refusalGauge = RateLimiter()
    var pingGauge = RateLimiter()
    var settingsGauge = RateLimiter()
    var emptyDataGauge = RateLimiter()
    var priorityGauge = RateLimiter()
    var windowUpdateGauge = RateLimiter()
    var continuationGauge = RateLimiter()
    var ignoredGauge = RateLimiter()
    var headTextGauge = RateLimiter()

    init() {}
}

/// What a client has done that should be counted and does not end its connection, but for the last.
package enum HTTP2ProtocolEvent: Sendable {
    /// A request was answered 431, or its trailers were refused for their size.
    case largeHead
    case malformed
    /// A stream was refused that was one too many.
    case refused
    /// The connection ended for what is no HTTP/2 or cannot be decoded.
    case broken
}
