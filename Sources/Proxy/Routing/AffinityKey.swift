import ASCII
import Balancing
import Configuration
import HTTP
import Reactor

/// Where requests without a session say what belongs together, such as the steps of an OAuth flow.
enum AffinityKey: Sendable {
    case query([UInt8])
    case cookie([UInt8])
    /// The name is in lower case.
    case header([UInt8])

    init(_ configuration: AffinityKeyConfiguration) {
        switch configuration {
        case .query(let name): self = .query(Array(name.utf8))
        case .cookie(let name): self = .cookie(Array(name.utf8))
        case .header(let name): self = .header(Array(name.utf8))
        }
    }

    /// The key of a parsed request at the front of `buffer`: a hash of the first value that is not empty; nil if there is none.
    func value(of head: borrowing RequestHead, in buffer: borrowing ByteBuffer) -> UInt64? {
        switch self {
        case .query(let name): Self.parameter(name, of: buffer.bytes(head.target.range))
        case .cookie(let name):
            Self.firstField(Array("cookie".utf8), head, buffer) { Self.cookie(name, in: $0) }
        case .header(let name):
            Self.firstField(name, head, buffer) { $0.isEmpty ? nil : Self.hash($0[...]) }
        }
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 { Rendezvous.key(of: bytes.span) }

    private static func firstField(
        _ name: [UInt8], _ head: borrowing RequestHead, _ buffer: borrowing ByteBuffer, _ read: ([UInt8]) -> UInt64?
    ) -> UInt64? {
        for index in 0..<head.fields.count {
            guard buffer.span.extracting(head.fields[index].name.range).equalsIgnoringCase(name.span) else { continue }
            if let key = read(buffer.bytes(head.fields[index].value.range)) { return key }
        }
        return nil
    }

    /// Parameters as forms have them: `+` and percent-encoded bytes stand for others, and count as those, whoever has encoded
    /// them (URL standard, section 5.1).
    private static func parameter(_ name: [UInt8], of target: [UInt8]) -> UInt64? {
        guard let mark = target.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        for pair in target[(mark + 1)...].split(separator: UInt8(ascii: "&")) {
            let key = pair.prefix { $0 != UInt8(ascii: "=") }
            guard decoded(key) == name else { continue }
            let value = decoded(pair.dropFirst(key.count + 1))
            if !value.isEmpty { return hash(value[...]) }
        }
        return nil
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if byte == UInt8(ascii: "%"), text.endIndex - index > 2, let high = text[index + 1].hexadecimalValue,
                let low = text[index + 2].hexadecimalValue
            {
                bytes.append(high << 4 | low)
                index += 3
                continue
            }
            bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        return bytes
    }

    /// Cookies stand with a semicolon between them (RFC 6265 section 4.2.1).
    private static func cookie(_ name: [UInt8], in field: [UInt8]) -> UInt64? {
        for pair in field.split(separator: UInt8(ascii: ";")) {
            let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
            guard pair.count > name.count + 1, pair.starts(with: name),
                pair[pair.startIndex + name.count] == UInt8(ascii: "=")
            else { continue }
            return hash(pair.dropFirst(name.count + 1))
        }
        return nil
    }
}
