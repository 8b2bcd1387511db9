import ASCII
import Reactor

/// Collects Content-Length and Transfer-Encoding, which say where a body ends (RFC 9112 §6), and refuses what two
/// parsers could read in two ways. For requests it is stricter than the RFC: equal repeats of Content-Length and all
/// lists are refused too.
struct FramingFields {
    private(set) var length: UInt64?
    private(set) var isChunked = false

    /// Reads a Content-Length: 1 to 18 digits, once.
    mutating func readLength(_ value: ByteRange, in bytes: Span<UInt8>) -> HTTPParseError? {
        guard length == nil, let number = bytes.decimal(value.range) else { return .malformed }
        length = number
        return nil
    }

    /// Reads a Content-Length of a response, where equal values, in one line or in several, are one (RFC 9110 §8.6).
    /// Returns the first value of the line, or an error.
    @inline(never)
    mutating func readRepeatableLength(
        _ value: ByteRange, in bytes: Span<UInt8>
    ) -> Result<ByteRange, HTTPParseError> {
        var first: ByteRange?
        var start = value.lowerBound
        while true {
            start = bytes.skipBlanks(from: start, to: value.upperBound)
            var end = start
            while end < value.upperBound, bytes[end] != UInt8(ascii: ",") { end &+= 1 }
            let element = start..<bytes.trimBlanks(from: start, to: end)
            guard let number = bytes.decimal(element), number == length ?? number else { return .failure(.malformed) }
            length = number
            if first == nil { first = ByteRange(start: element.lowerBound, count: element.count) }
            guard end < value.upperBound else { return .success(first ?? value) }
            start = end &+ 1
        }
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
