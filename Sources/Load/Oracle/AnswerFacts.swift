import ASCII
import JSON

/// The parts of one JSON-RPC message that are checked, as ranges into the message's text.
struct AnswerFacts {
    /// The kind of message (JSON-RPC 2.0, sections 4 and 5).
    enum Kind {
        /// Not a single JSON-RPC 2.0 message.
        case malformed
        /// A response: it has a result or an error.
        case answer
        /// A notification or a request of the server: it has a method.
        case ask
    }

    private(set) var kind = Kind.malformed
    /// The id if it is a non-negative integer, as ours are; nil for any other, or none.
    private(set) var id: UInt64?
    /// Whether it is an error, or a tool result with `isError`.
    private(set) var isError = false
    /// Whether it is a tool's result with `isError`.
    private(set) var isToolError = false
    /// The error object, or the result with `isError`, to be printed.
    private(set) var errorRange = 0..<0
    /// The content of the error's `message`, escapes not decoded.
    private(set) var errorMessage: Range<Int>?
    /// The error's `code` if it is one of those that JSON-RPC reserves (section 5.1): -32768 to -32000.
    private(set) var errorCode: Int16?
    /// The first text of a tool's result, without its quotes, escapes not decoded.
    private(set) var text: Range<Int>?
    /// `protocolVersion` of an initialize result, without its quotes.
    private(set) var version: Range<Int>?
    /// Whether the result is an object with `tools`.
    private(set) var hasTools = false
    /// The number of an event, which goes up by one from event to event.
    private(set) var sequence: UInt64?
    /// CLOCK_MONOTONIC of the server when it sent the event, in nanoseconds.
    private(set) var sentAt: UInt64?
    /// The name of the server that sent the event, without its quotes, escapes not decoded.
    private(set) var replica: Range<Int>?

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
                readError(&reader, text)
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
                if let value = reader.value(text), text.extracting(value).equals("true") {
                    (isError, isToolError) = (true, true)
                }
            } else if name.equals("protocolVersion"), reader.peek(text) == UInt8(ascii: "\"") {
                version = reader.string(text)
            } else {
                if name.equals("tools") { hasTools = true }
                _ = reader.value(text)
            }
        }
        if isError { errorRange = start..<reader.position }
    }

    private mutating func readError(_ reader: inout JSONReader, _ text: Span<UInt8>) {
        _ = reader.peek(text)
        let start = reader.position
        guard reader.openObject(text) else {
            errorRange = reader.value(text) ?? errorRange
            return
        }
        while let key = reader.nextName(text) {
            let name = text.extracting(key)
            if name.equals("message"), reader.peek(text) == UInt8(ascii: "\"") {
                errorMessage = reader.string(text)
            } else if let value = reader.value(text), name.equals("code") {
                let code = Int16(text.extracting(value).excerpt(8)) ?? 0
                if -32_768 ... -32_000 ~= code { errorCode = code }
            }
        }
        errorRange = start..<reader.position
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

    /// The number and time of an event are in the `data` of a log message (MCP 2025-11-25, "Logging").
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
            } else if name.equals("replica"), reader.peek(text) == UInt8(ascii: "\"") {
                replica = reader.string(text)
            } else {
                _ = reader.value(text)
            }
        }
    }
}

/// The result text of the tool `whoami`: the name of the replica and the number of the session's calls. It is a JSON
/// text within a JSON string: `{"replica":"a","calls":7}` with its quotes escaped.
struct WhoamiResult {
    /// The name, without its escaped quotes.
    let replica: Range<Int>
    /// Tool calls that the replica has counted for the session, this one included.
    let calls: UInt64

    /// `range`: the content of the JSON string within `text`. Nil for any other text.
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
