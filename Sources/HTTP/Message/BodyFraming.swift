/// How the end of a body is found (RFC 9112 §6).
package enum BodyFraming: Equatable, Sendable {
    case none
    /// Content-Length, in bytes; may be 0.
    case length(UInt64)
    case chunked
    /// Responses only: the body ends when the connection does.
    case untilClose
}
