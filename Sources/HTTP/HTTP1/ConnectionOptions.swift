import ASCII
import Reactor

/// The options of the `Connection` fields of a head (RFC 9110 §7.6.1).
struct ConnectionOptions {
    /// The most options in one head. More are refused, because each is compared with every field.
    static var limit: Int { 32 }

    private(set) var hasClose = false
    private(set) var hasKeepAlive = false
    private var count = 0

    /// Whether the connection persists (RFC 9112 §9.3): with HTTP/1.1 unless `close` is there, with HTTP/1.0 only if
    /// `keep-alive` is.
    func isKeepAlive(minorVersion: UInt8) -> Bool {
        !hasClose && (minorVersion == 1 || hasKeepAlive)
    }

    /// Reads every Connection field and marks the fields they name as hop-by-hop. All fields must be in the table.
    mutating func read(in bytes: Span<UInt8>, marking fields: inout FieldTable) -> HTTPParseError? {
        for index in 0..<fields.count where fields[index].kind == .connection {
            if let error = readField(fields[index].value, in: bytes, marking: &fields) { return error }
        }
        return nil
    }

    private mutating func readField(
        _ value: ByteRange, in bytes: Span<UInt8>, marking fields: inout FieldTable
    ) -> HTTPParseError? {
        var index = value.lowerBound
        while true {
            index = bytes.skipBlanks(from: index, to: value.upperBound)
            guard index < value.upperBound else { return nil }
            let end = min(bytes.tokenEnd(from: index), value.upperBound)
            if end > index, let error = readOption(index..<end, in: bytes, marking: &fields) { return error }
            index = bytes.skipBlanks(from: end, to: value.upperBound)
            guard index < value.upperBound else { return nil }
            guard bytes[index] == UInt8(ascii: ",") else { return .malformed }
            index &+= 1
        }
    }

    @inline(__always)
    private mutating func readOption(
        _ option: Range<Int>, in bytes: Span<UInt8>, marking fields: inout FieldTable
    ) -> HTTPParseError? {
        count &+= 1
        guard count <= Self.limit else { return .headTooLarge }
        let text = LowercasedASCII(bytes, at: option.lowerBound, length: option.count)
        if text.equals("close   ", length: 5) {
            hasClose = true
        } else if text.equals("keep-ali", "ep-alive", length: 10) {
            hasKeepAlive = true
        } else {
            Self.mark(option, in: bytes, fields: &fields)
        }
        return nil
    }

    /// Marks the fields of that name as hop-by-hop. Host and Content-Length are exempt: removing them would change the
    /// message's meaning.
    private static func mark(_ option: Range<Int>, in bytes: Span<UInt8>, fields: inout FieldTable) {
        for index in 0..<fields.count {
            var field = fields[index]
            guard field.kind != .host, field.kind != .contentLength,
                bytes.extracting(field.name.range).equalsIgnoringCase(bytes.extracting(option))
            else { continue }
            field.isHopByHop = true
            fields[index] = field
        }
    }
}
