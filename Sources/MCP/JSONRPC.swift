import JSON

/// What a balancer must know of a JSON-RPC message: whether it is a request, and its id, to echo it in an error.
///
/// Reads a body, or its beginning, once and in place: nothing is copied, allocated or recursed into. The rules lean
/// towards knowing nothing, as a wrong id would end somebody else's call.
package enum JSONRPC {
    /// How much of a body is looked at.
    package static var maximumBytes: Int { 65_536 }
    /// How deep what a message holds may nest before it counts as malformed; the message itself is one level more.
    package static var maximumDepth: Int { JSONScanner.maximumDepth - 1 }
    /// The longest id worth echoing, in bytes with its quotes.
    package static var maximumIDBytes: Int { 1024 }

    /// The kinds of messages.
    package enum Kind: Sendable {
        /// Has a method and an id: somebody waits for an answer.
        case request
        /// Has a method and no id (or null, which MCP forbids). Nobody waits.
        case notification
        /// Has a result or an error: answers a request of the server.
        case response
        /// An array (2025-03-26 only).
        case batch
        /// Malformed, ambiguous, or cut off before it could be told.
        case unknown
    }

    /// One message, as ranges of the body it was read from.
    package struct Envelope: Equatable, Sendable {
        /// The kind of the message.
        package var kind: Kind
        /// The id of a request as it stands in the body, quotes included: a string or a number.
        package var id: Range<Int>?
        /// The method between its quotes, escapes as written: a method that somebody escaped compares with none, and
        /// so is taken for an unknown one.
        package var method: Range<Int>?
        /// Whether the whole message was seen. If not, more keys may follow.
        package var isComplete: Bool

        static var unknown: Envelope { Envelope(kind: .unknown, id: nil, method: nil, isComplete: false) }
    }

    /// The id to echo when a request fails here; nil if the body is no single request, and then `null` is the id to
    /// use. A response has an id too, but it belongs to the server's requests: echoed, it would be taken for the
    /// answer to a call of the client's own.
    package static func requestID(in body: Span<UInt8>) -> Range<Int>? {
        let envelope = scan(body)
        return envelope.kind == .request ? envelope.id : nil
    }

    /// The method of a request or notification.
    package static func method(in body: Span<UInt8>) -> Range<Int>? {
        scan(body).method
    }

    /// Whether the body has a `method`: it asks for something, rather than answering the server.
    package static func isRequest(_ body: Span<UInt8>) -> Bool {
        scan(body).method != nil
    }

    /// Reads the top level of a message, which may be cut off anywhere. A key that stands there twice makes the
    /// message unknown: readers disagree about which one counts. The encoding of texts is not looked at, but for the
    /// id's.
    package static func scan(_ body: Span<UInt8>) -> Envelope {
        let bytes = body.extracting(0..<min(body.count, maximumBytes))
        var reader = JSONReader()
        if reader.peek(bytes) == UInt8(ascii: "[") {
            return Envelope(kind: .batch, id: nil, method: nil, isComplete: false)
        }
        var members = Members()
        guard members.read(bytes, &reader) else { return .unknown }
        let isComplete = reader.isAtEnd(bytes)
        if reader.failure == .malformed { return .unknown }
        return members.envelope(isComplete: isComplete && bytes.count == body.count)
    }
}

/// The members of a message's top level that say what it is.
private struct Members {
    private var seen: UInt8 = 0
    private var isID = false
    private var id: Range<Int>?
    private var method: Range<Int>?

    private enum Key: UInt8 {
        case id = 1
        case method = 2
        case result = 4
        case error = 8

        /// The key between these quotes, if it is one of ours.
        init?(_ name: Span<UInt8>) {
            if JSONString.content(name, equals: "id") {
                self = .id
            } else if JSONString.content(name, equals: "method") {
                self = .method
            } else if JSONString.content(name, equals: "result") {
                self = .result
            } else if JSONString.content(name, equals: "error") {
                self = .error
            } else {
                return nil
            }
        }
    }

    /// Reads an object up to its closing brace, or to where the text ends; what was read before that counts. False if a
    /// member makes it no message.
    mutating func read(_ bytes: Span<UInt8>, _ reader: inout JSONReader) -> Bool {
        guard reader.openObject(bytes) else { return false }
        while let name = reader.nextName(bytes) {
            let key = Key(bytes.extracting(name))
            if let key {
                guard seen & key.rawValue == 0 else { return false }
                seen |= key.rawValue
            }
            let first = reader.peek(bytes)
            guard let range = reader.value(bytes) else { return true }
            guard note(key, first, range, bytes) else { return false }
        }
        return true
    }

    /// Takes note of a value that begins with the byte `first`. False if the member may have no such value.
    private mutating func note(_ key: Key?, _ first: UInt8?, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        switch (key, first) {
        case (.id, UInt8(ascii: "{")), (.id, UInt8(ascii: "[")), (.id, UInt8(ascii: "t")), (.id, UInt8(ascii: "f")):
            return false
        case (.id, UInt8(ascii: "n")): return true
        case (.id, _):
            isID = true
            if Self.isEchoable(bytes.extracting(range)) { id = range }
            return true
        case (.method, UInt8(ascii: "\"")):
            method = (range.lowerBound + 1)..<(range.upperBound - 1)
            return true
        case (.method, _): return false
        case (.result, _), (.error, _), (nil, _): return true
        }
    }

    /// An id goes into our own answer as it is, so it must be short and valid there.
    private static func isEchoable(_ id: Span<UInt8>) -> Bool {
        guard id.count <= JSONRPC.maximumIDBytes else { return false }
        return (try? UTF8Span(validating: id)) != nil
    }

    func envelope(isComplete: Bool) -> JSONRPC.Envelope {
        let answers = seen & (Key.result.rawValue | Key.error.rawValue) != 0
        if answers && seen & Key.method.rawValue != 0 { return .unknown }
        if answers { return JSONRPC.Envelope(kind: .response, id: nil, method: nil, isComplete: isComplete) }
        guard let method else { return JSONRPC.Envelope(kind: .unknown, id: nil, method: nil, isComplete: isComplete) }
        if isID { return JSONRPC.Envelope(kind: .request, id: id, method: method, isComplete: isComplete) }
        let kind: JSONRPC.Kind = isComplete ? .notification : .unknown
        return JSONRPC.Envelope(kind: kind, id: nil, method: method, isComplete: isComplete)
    }
}
