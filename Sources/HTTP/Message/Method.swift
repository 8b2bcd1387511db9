/// A request method (RFC 9110 §9). Anything that is a token and not listed is `other`, forwarded as it came.
package enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, trace, connect, other
}
