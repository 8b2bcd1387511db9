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

    /// The id of a response, as it stands in the body; nil if the body is none, or has none that could be compared.
    package static func responseID(in body: Span<UInt8>) -> Range<Int>? {
        var reader = JSONReader()
        var members = MessageMembers()
        guard body.count <= maximumBytes, members.read(body, &reader), reader.isAtEnd(body),
            members.envelope(isComplete: true).kind == .response
        else { return nil }
        return members.id
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
        var members = MessageMembers()
        guard members.read(bytes, &reader) else { return .unknown }
        let isComplete = reader.isAtEnd(bytes)
        if reader.failure == .malformed { return .unknown }
        return members.envelope(isComplete: isComplete && bytes.count == body.count)
    }

    /// An id goes into our own answer as it is, so it must be short and valid there.
    static func isEchoable(_ id: Span<UInt8>) -> Bool {
        guard id.count <= maximumIDBytes else { return false }
        return (try? UTF8Span(validating: id)) != nil
    }
}
