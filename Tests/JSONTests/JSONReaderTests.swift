import JSON
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
    /// Reads the members of an object as texts, and says how that ended.
    private func members(_ text: String) -> (members: [String], isAtEnd: Bool, failure: JSONReader.Failure?) {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        var members: [String] = []
        if reader.openObject(bytes.span) {
            while let name = reader.nextName(bytes.span) {
                guard let value = reader.value(bytes.span) else { break }
                members.append(String(decoding: bytes[name] + [UInt8(ascii: "=")] + bytes[value], as: UTF8.self))
            }
        }
        let isAtEnd = reader.isAtEnd(bytes.span)
        return (members, isAtEnd, reader.failure)
    }

    @Test("gives the members of an object with their whole values")
    func objects() {
        let read = members(#" { "a" : 1 , "b":"x\"y", "c" :[1,{"d":2}] ,"e":{"f":{}}, "g":null} "#)

        #expect(read.members == ["a=1", #"b="x\"y""#, #"c=[1,{"d":2}]"#, #"e={"f":{}}"#, "g=null"])
        #expect(read.isAtEnd)
        #expect(read.failure == nil)
    }

    @Test(
        "tells a text that is cut off from one that is no JSON",
        arguments: [
            ("", .truncated), ("{", .truncated), (#"{"a"#, .truncated), (#"{"a":1"#, .truncated), (#"{"a":1}"#, nil),
            (#"{"a":[{"b":"#, .truncated), (#"{"a":1,"#, .truncated), (#"{"a":tru"#, .truncated),
            (#"{"a":-"#, .truncated),
            (#"{"a":1,}"#, .malformed), (#"{"a":1}}"#, .malformed), (#"{"a":1} x"#, .malformed),
            (#"{"a":01}"#, .malformed),
            (#"{"a":}"#, .malformed), (#"{"a":[1}"#, .malformed), (#"{"a"}"#, .malformed), (#"{1"#, .malformed),
        ] as [(String, JSONReader.Failure?)])
    func failures(_ text: String, _ failure: JSONReader.Failure?) {
        let read = members(text)

        #expect(read.failure == failure)
        #expect(read.isAtEnd == (failure == nil))
    }

    @Test("steps through an array, into what it holds or over it")
    func arrays() {
        let bytes = Array(#"[1, {"a":"b"} ,[], "c"]"#.utf8)
        var reader = JSONReader()
        var values: [String] = []

        let isArray = reader.openArray(bytes.span)
        #expect(isArray)
        while reader.nextElement(bytes.span) {
            if reader.openObject(bytes.span) {
                while let name = reader.nextName(bytes.span) {
                    values.append(String(decoding: bytes[name], as: UTF8.self))
                    if let string = reader.string(bytes.span) {
                        values.append(String(decoding: bytes[string], as: UTF8.self))
                    }
                }
            } else if let value = reader.value(bytes.span) {
                values.append(String(decoding: bytes[value], as: UTF8.self))
            }
        }

        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(isAtEnd)
        #expect(values == ["1", "a", "b", "[]", #""c""#])
        #expect(reader.position == bytes.count)
    }

    @Test("looks before it reads, and opens nothing else than was asked for")
    func peeking() {
        let bytes = Array(#" [ "a" ] "#.utf8)
        var reader = JSONReader()

        #expect(reader.peek(bytes.span) == UInt8(ascii: "["))
        let isObject = reader.openObject(bytes.span)
        #expect(!isObject && reader.failure == nil)
        let isArray = reader.openArray(bytes.span)
        let hasElement = reader.nextElement(bytes.span)
        #expect(isArray && hasElement)
        #expect(reader.peek(bytes.span) == UInt8(ascii: "\""))
        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(!isAtEnd && reader.failure == nil)
        #expect(reader.string(bytes.span) == 4..<5)
        let hasMore = reader.nextElement(bytes.span)
        #expect(!hasMore && reader.failure == nil)
    }

    @Test(
        "a value alone is read to the end of the text",
        arguments: ["7", " -1.5 ", #""a""#, "true", "[]", "{\"a\":[0]} "])
    func values(_ text: String) {
        let bytes = Array(text.utf8)
        var reader = JSONReader()

        let value = reader.value(bytes.span).map { String(decoding: bytes[$0], as: UTF8.self) }
        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(value == text.filter { $0 != " " })
        #expect(isAtEnd)
    }

    @Test(
        "a number is one of decimal digits",
        arguments: [
            ("0", 0 as UInt64?), ("7", 7), ("9999999999999999999", 9_999_999_999_999_999_999),
            ("10000000000000000000", nil),
            ("-7", nil), ("7.0", nil), ("7e0", nil), (#""7""#, nil), ("[7]", nil), ("null", nil),
        ])
    func decimals(_ text: String, _ number: UInt64?) {
        let bytes = Array("[\(text)]".utf8)
        var reader = JSONReader()

        _ = reader.openArray(bytes.span)
        #expect(reader.decimal(bytes.span) == number)
        let hasMore = reader.nextElement(bytes.span)
        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(!hasMore && isAtEnd)
    }

    @Test("once something is wrong nothing is read any more")
    func afterFailure() {
        let bytes = Array(#"[1 2,{"a":3}]"#.utf8)
        var reader = JSONReader()

        _ = reader.openArray(bytes.span)
        _ = reader.value(bytes.span)
        #expect(reader.value(bytes.span) == nil)
        #expect(reader.failure == .malformed)
        #expect(reader.peek(bytes.span) == nil)
        #expect(reader.nextName(bytes.span) == nil)
        let opened = [reader.openObject(bytes.span), reader.openArray(bytes.span), reader.nextElement(bytes.span)]
        #expect(opened == [false, false, false])
        #expect(reader.string(bytes.span) == nil)
        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(!isAtEnd)
    }
}

@Suite("JSON strings")
struct JSONStringTests {
    @Test(
        "a content says a text whichever way it is escaped",
        arguments: [
            ("id", true), (#"\u0069d"#, true), (#"i\u0064"#, true), (#"\u0069\u0064"#, true), ("Id", false),
            ("i", false),
            ("idd", false), ("", false), (#"\u0069"#, false), (#"\u0069d\u0000"#, false), (#"\u0169d"#, false),
            (#"i\d"#, false), (#"i\u006"#, false), (#"i\"#, false), (#"i\u00g4"#, false),
        ])
    func content(_ content: String, _ isEqual: Bool) {
        let bytes = Array(content.utf8)
        let isContent = JSONString.content(bytes.span, equals: "id")
        #expect(isContent == isEqual)
    }

    @Test(
        "what is quoted says the text again",
        arguments: ["", "a", "\"\\", "\u{0}\u{1F}\n\t", "é😀", #"\u0041"#])
    func quoted(_ text: String) {
        let bytes = Array(JSONString.quoted(text).utf8)
        var reader = JSONReader()
        #expect(reader.string(bytes.span) == 1..<(bytes.count - 1))
        let isAtEnd = reader.isAtEnd(bytes.span)
        #expect(isAtEnd)
    }

    @Test("quotes what must be, and nothing else")
    func quotes() {
        #expect(JSONString.quoted("a\"b\\c\n\u{7F}é/") == #""a\"b\\c\u000a"# + "\u{7F}é/\"")
    }
}
