/// How the end of a body is found (RFC 9112 §6).
package enum BodyFraming: Equatable, Sendable {
    /// There is no body.
    case none
    /// Content-Length, in bytes; may be 0.
    case length(UInt64)
    /// The chunked transfer coding (RFC 9112 §7.1).
    case chunked
    /// Responses only: the body ends when the server closes the connection (RFC 9112 §6.3, rule 8).
    case untilClose
}
