import ASCII

/// A request method (RFC 9110 §9). A token that is not listed is `other`. It is refused, as TRACE and
/// CONNECT are: what it asks for, and whether it may be repeated, cannot be known.
package enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, trace, connect, other

    /// The methods that are forwarded, as `Allow` lists them.
    package static var forwarded: StaticString { "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }

    /// The method of that name, which is case-sensitive.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int) {
        guard length <= 7 else {
            self = .other
            return
        }
        let name = bytes.word(at: offset, length: length)
        if name == UInt64(ascii: "POST\0\0\0\0") {
            self = .post
        } else if name == UInt64(ascii: "GET\0\0\0\0\0") {
            self = .get
        } else {
            self = Self.lessCommon(name)
        }
    }

    private static func lessCommon(_ name: UInt64) -> Method {
        if name == UInt64(ascii: "DELETE\0\0") { return .delete }
        if name == UInt64(ascii: "HEAD\0\0\0\0") { return .head }
        if name == UInt64(ascii: "OPTIONS\0") { return .options }
        if name == UInt64(ascii: "PUT\0\0\0\0\0") { return .put }
        if name == UInt64(ascii: "PATCH\0\0\0") { return .patch }
        if name == UInt64(ascii: "TRACE\0\0\0") { return .trace }
        return name == UInt64(ascii: "CONNECT\0") ? .connect : .other
    }
}
