import ASCII
import Reactor

/// Collects Content-Length and Transfer-Encoding, which say where a body ends (RFC 9112 §6), and refuses what two
/// parsers could read in two ways. It is stricter than the RFC: equal repeats of Content-Length and all lists are
/// refused too.
struct FramingFields {
    private(set) var length: UInt64?
    private(set) var isChunked = false

    /// Reads a Content-Length: 1 to 18 digits, once.
    mutating func readLength(_ value: ByteRange, in bytes: Span<UInt8>) -> HTTPParseError? {
        guard length == nil, let number = bytes.decimal(value.range) else { return .malformed }
        length = number
        return nil
    }

    /// Reads a Transfer-Encoding: `chunked`, once, and only in HTTP/1.1 (RFC 9112 §6.1).
    mutating func readCoding(_ value: ByteRange, in bytes: Span<UInt8>, minorVersion: UInt8) -> HTTPParseError? {
        guard minorVersion == 1, !isChunked, !value.isEmpty else { return .malformed }
        let coding = LowercasedASCII(bytes, at: value.lowerBound, length: Int(value.count))
        guard coding.equals("chunked ", length: 7) else { return .codingUnsupported }
        isChunked = true
        return nil
    }

    /// Whether both fields are there, as in request smuggling attacks (RFC 9112 §11.2).
    var isAmbiguous: Bool { isChunked && length != nil }
}
