/// The flow-control windows (RFC 9113 section 5.2) and the header list limit of a client's session. Received bytes are
/// consumed at once, so the windows limit only the bytes in transit.
package struct HTTP2ClientLimits: Sendable {
    /// The window of one response, in bytes, at most 2^31 - 1.
    package var initialWindow: UInt32 = 1_048_576
    /// The window of all responses of a connection together, in bytes, at most 2^31 - 1.
    package var connectionWindow: UInt32 = 16_777_216
    /// The most bytes of a response's head, names and values. A larger head resets the stream.
    package var headerListBytes: UInt32 = 65_536

    /// The defaults.
    package init() {}
}
