import ASCII
import JSON

/// What one JSON-RPC message says, as far as it can be true or not: ranges into the text it came from.
struct AnswerFacts {
    enum Kind {
        /// It is no single JSON-RPC 2.0 message.
        case malformed
        /// It has an id and a result or an error.
        case answer
        /// It has a method: a notification, or a request of the server's.
        case ask
    }

    private(set) var kind = Kind.malformed
    /// The id if it is a number, as ours are; nil for any other, or none.
    private(set) var id: UInt64?
    private(set) var isError = false
    /// The error, or the result that says `isError`, for people.
    private(set) var errorRange = 0..<0
    /// The first text of a tool's result, between its quotes, escapes as written.
    private(set) var text: Range<Int>?
    /// `protocolVersion` of an initialize's result, between its quotes.
    private(set) var version: Range<Int>?
    /// Whether the result is an object with `tools`.
    private(set) var hasTools = false
    /// Of a notification: the number that its events count up, and CLOCK_MONOTONIC of the server when it was sent, in
    /// nanoseconds.
    private(set) var sequence: UInt64?
    private(set) var sentAt: UInt64?

    init(_ text: Span<UInt8>) {
        var reader = JSONReader()
        guard reader.openObject(text) else { return }
        var isVersion2 = false
        var hasOutcome = false
        var hasMethod = false
        while let key = reader.nextName(text) {
            let name = text.extracting(key)
            if name.equals("jsonrpc") {
                isVersion2 = reader.value(text).map { text.extracting($0).equals("\"2.0\"") } ?? false
            } else if name.equals("id") {
                id = reader.decimal(text)
            } else if name.equals("result") {
                hasOutcome = true
                readResult(&reader, text)
            } else if name.equals("error") {
                (hasOutcome, isError) = (true, true)
                errorRange = reader.value(text) ?? errorRange
            } else if name.equals("method") {
                hasMethod = true
                _ = reader.value(text)
            } else if name.equals("params") {
                readParameters(&reader, text)
            } else {
                _ = reader.value(text)
            }
        }
        guard reader.isAtEnd(text), isVersion2, hasOutcome != hasMethod else { return }
        kind = hasMethod ? .ask : .answer
    }

    private mutating func readResult(_ reader: inout JSONReader, _ text: Span<UInt8>) {
        _ = reader.peek(text)
        let start = reader.position
        guard reader.openObject(text) else {
            _ = reader.value(text)
            return
        }
        while let key = reader.nextName(text) {
            let name = text.extracting(key)
            if name.equals("content") {
                readContent(&reader, text)
            } else if name.equals("isError") {
                if let value = reader.value(text), text.extracting(value).equals("true") { isError = true }
            } else if name.equals("protocolVersion"), reader.peek(text) == UInt8(ascii: "\"") {
                version = reader.string(text)
            } else {
                if name.equals("tools") { hasTools = true }
                _ = reader.value(text)
            }
        }
        if isError { errorRange = start..<reader.position }
    }

    private mutating func readContent(_ reader: inout JSONReader, _ text: Span<UInt8>) {
        guard reader.openArray(text) else {
            _ = reader.value(text)
            return
        }
        while reader.nextElement(text) {
            guard self.text == nil, reader.openObject(text) else {
                _ = reader.value(text)
                continue
            }
            while let key = reader.nextName(text) {
                if text.extracting(key).equals("text"), reader.peek(text) == UInt8(ascii: "\"") {
                    self.text = reader.string(text)
                } else {
                    _ = reader.value(text)
                }
            }
        }
    }

    /// The number and time of an event stand in the `data` of a log message (2025-11-25, "Logging").
    private mutating func readParameters(_ reader: inout JSONReader, _ text: Span<UInt8>) {
        guard reader.openObject(text) else {
            _ = reader.value(text)
            return
        }
        while let key = reader.nextName(text) {
            if text.extracting(key).equals("data"), reader.openObject(text) {
                readEvent(&reader, text)
            } else {
                _ = reader.value(text)
            }
        }
    }

    private mutating func readEvent(_ reader: inout JSONReader, _ text: Span<UInt8>) {
        while let key = reader.nextName(text) {
            let name = text.extracting(key)
            if name.equals("sequence") {
                sequence = reader.decimal(text)
            } else if name.equals("monotonicNanoseconds") {
                sentAt = reader.decimal(text)
            } else {
                _ = reader.value(text)
            }
        }
    }
}

/// What a tool says that names its replica and counts its session's calls: `{"replica":"a","calls":7}`, itself a JSON
/// text within a JSON string. Nil for all other texts.
struct ConnectionState {
    /// The name between its (escaped) quotes.
    let replica: Range<Int>
    let calls: UInt64

    /// `range`: the string's content within `text`.
    init?(_ text: Span<UInt8>, _ range: Range<Int>) {
        var position = range.lowerBound
        func skip(_ word: StaticString) -> Bool {
            while position < range.upperBound, text[position] == 0x20 { position &+= 1 }
            guard text.has(word, at: position) else { return false }
            position &+= word.utf8CodeUnitCount
            return true
        }
        guard skip("{"), skip("\\\"replica\\\""), skip(":"), skip("\\\"") else { return nil }
        let start = position
        while position < range.upperBound, !text.has("\\\"", at: position) { position &+= 1 }
        replica = start..<position
        guard skip("\\\""), skip(","), skip("\\\"calls\\\""), skip(":") else { return nil }
        while position < range.upperBound, text[position] == 0x20 { position &+= 1 }
        let digits = position
        while position < range.upperBound, text[position] &- 48 < 10 { position &+= 1 }
        guard let calls = text.extracting(digits..<position).decimal, skip("}"), position == range.upperBound else {
            return nil
        }
        self.calls = calls
    }
}
