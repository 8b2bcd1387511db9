import ASCII
import JSON

/// The members of a JSON object, read strictly: a name that stands twice makes it none at all, because two readers might take
/// different ones.
struct JSONObject {
    /// A member's value.
    enum Value {
        case string(String)
        case number(Double, text: String)
        case flag(Bool)
        case strings([String])
        /// Null, an object, or an array that is not of strings alone.
        case other
    }

    private(set) var members: [String: Value] = [:]

    /// More members than that no token has.
    private static let maximumMembers = 256

    /// Nil if the text is not one object of valid UTF-8 and nothing else.
    init?(_ text: [UInt8]) {
        guard String(validating: text, as: UTF8.self) != nil else { return nil }
        let span = text.span
        var reader = JSONReader()
        guard reader.openObject(span) else { return nil }
        while let range = reader.nextName(span) {
            guard let name = Self.unescaped(span.extracting(range)), members[name] == nil,
                members.count < Self.maximumMembers, let value = Self.value(&reader, span)
            else { return nil }
            members[name] = value
        }
        guard reader.failure == nil, reader.isAtEnd(span) else { return nil }
    }

    subscript(name: String) -> Value? { members[name] }

    /// A member that is a string; nil if it is missing or another value.
    func string(_ name: String) -> String? {
        if case .string(let text) = members[name] { text } else { nil }
    }

    private static func value(_ reader: inout JSONReader, _ text: Span<UInt8>) -> Value? {
        switch reader.peek(text) {
        case UInt8(ascii: "\""):
            return reader.string(text).flatMap { unescaped(text.extracting($0)) }.map { .string($0) }
        case UInt8(ascii: "["): return array(&reader, text)
        case nil: return nil
        default: break
        }
        guard let range = reader.value(text) else { return nil }
        let raw = text.extracting(range)
        if raw.count == 4, raw.has("true", at: 0) { return .flag(true) }
        if raw.count == 5, raw.has("false", at: 0) { return .flag(false) }
        guard raw[0] == UInt8(ascii: "-") || raw[0].isDigit else { return .other }
        let digits = String(decoding: (0..<raw.count).map { raw[$0] }, as: UTF8.self)
        guard let number = Double(digits), number.isFinite else { return .other }
        return .number(number, text: digits)
    }

    private static func array(_ reader: inout JSONReader, _ text: Span<UInt8>) -> Value? {
        guard reader.openArray(text) else { return nil }
        var strings: [String] = []
        var isOther = false
        while reader.nextElement(text) {
            if reader.peek(text) == UInt8(ascii: "\"") {
                guard let element = reader.string(text).flatMap({ unescaped(text.extracting($0)) }) else { return nil }
                strings.append(element)
            } else {
                guard reader.value(text) != nil else { return nil }
                isOther = true
            }
        }
        guard reader.failure == nil else { return nil }
        return isOther ? .other : .strings(strings)
    }

    /// The objects of the array under a name: their texts. Nil if there is no such array, or something else is in it.
    static func objects(of text: [UInt8], under name: StaticString) -> [[UInt8]]? {
        let span = text.span
        var reader = JSONReader()
        var objects: [[UInt8]]?
        guard reader.openObject(span) else { return nil }
        while let range = reader.nextName(span) {
            guard JSONString.content(span.extracting(range), equals: name) else {
                guard reader.value(span) != nil else { return nil }
                continue
            }
            guard objects == nil, reader.openArray(span) else { return nil }
            var found: [[UInt8]] = []
            while reader.nextElement(span) {
                guard reader.peek(span) == UInt8(ascii: "{"), let value = reader.value(span) else { return nil }
                found.append(Array(text[value]))
            }
            objects = found
        }
        guard reader.failure == nil, reader.isAtEnd(span) else { return nil }
        return objects
    }

    /// What a string says (RFC 8259 section 7); nil for half a surrogate pair.
    static func unescaped(_ content: Span<UInt8>) -> String? {
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var index = 0
        while index < content.count {
            guard content[index] == UInt8(ascii: "\\") else {
                text.append(content[index])
                index += 1
                continue
            }
            guard index + 1 < content.count else { return nil }
            let escape = content[index + 1]
            index += 2
            switch escape {
            case UInt8(ascii: "b"): text.append(8)
            case UInt8(ascii: "f"): text.append(12)
            case UInt8(ascii: "n"): text.append(10)
            case UInt8(ascii: "r"): text.append(13)
            case UInt8(ascii: "t"): text.append(9)
            case UInt8(ascii: "u"):
                guard let scalar = scalar(content, &index) else { return nil }
                text += Array(String(scalar).utf8)
            default: text.append(escape)
            }
        }
        return String(validating: text, as: UTF8.self)
    }

    /// The scalar of one or two `\u` escapes, the digits of the first of which are at `index`.
    private static func scalar(_ content: Span<UInt8>, _ index: inout Int) -> Unicode.Scalar? {
        guard let first = unit(content, &index) else { return nil }
        guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
        guard index + 1 < content.count, content[index] == UInt8(ascii: "\\"), content[index + 1] == UInt8(ascii: "u")
        else { return nil }
        index += 2
        guard let second = unit(content, &index), (0xDC00..<0xE000).contains(second) else { return nil }
        return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func unit(_ content: Span<UInt8>, _ index: inout Int) -> UInt32? {
        guard index + 4 <= content.count else { return nil }
        var value: UInt32 = 0
        for offset in index..<index + 4 {
            guard let digit = content[offset].hexadecimalValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        index += 4
        return value
    }
}
