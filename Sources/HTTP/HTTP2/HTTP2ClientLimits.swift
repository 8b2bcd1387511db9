/// How much a server may send before it is told that there is room for more (RFC 9113 section 5.2). What is received is
/// consumed at once, so these bound nothing but what is under way.
package struct HTTP2ClientLimits: Sendable {
    /// Body bytes of one response, at most 2^31 - 1.
    package var initialWindow: UInt32 = 1_048_576
    /// The same for all responses of a connection together.
    package var connectionWindow: UInt32 = 16_777_216
    /// Bytes of a response's head, names and values; more is a fault of the server's.
    package var headerListBytes: UInt32 = 65_536

    package init() {}
}
