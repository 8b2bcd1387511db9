/// What a balancer must know of a JSON-RPC message: whether it is a request, and its id, to echo it in an error.
///
/// Reads a body, or its beginning, once and in place: nothing is copied, allocated or recursed into. The rules lean
/// towards knowing nothing, as a wrong id would end somebody else's call.
package enum JSONRPC {
    /// How much of a body is looked at.
    package static var maximumBytes: Int { 65_536 }
    /// How deep a body may nest before it counts as malformed.
    package static var maximumDepth: Int { JSONScanner.maximumDepth }
    /// The longest id worth echoing, in bytes with its quotes.
    package static var maximumIDBytes: Int { 1024 }

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
        var members = Members()
        var scanner = JSONScanner()
        let bytes = body.extracting(0..<min(body.count, maximumBytes))
        var isComplete = false
        do throws(JSONScanner.Stop) {
            scanner.skipSpace(bytes)
            if scanner.peek(bytes) == UInt8(ascii: "[") {
                return Envelope(kind: .batch, id: nil, method: nil, isComplete: false)
            }
            try members.read(bytes, &scanner)
            scanner.skipSpace(bytes)
            guard scanner.position == bytes.count else { return .unknown }
            isComplete = bytes.count == body.count
        } catch {
            if error == .malformed { return .unknown }
        }
        return members.envelope(isComplete: isComplete)
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
        init?(_ bytes: Span<UInt8>, _ content: Range<Int>) {
            if JSONScanner.string(bytes, content, equals: "id") {
                self = .id
            } else if JSONScanner.string(bytes, content, equals: "method") {
                self = .method
            } else if JSONScanner.string(bytes, content, equals: "result") {
                self = .result
            } else if JSONScanner.string(bytes, content, equals: "error") {
                self = .error
            } else {
                return nil
            }
        }
    }

    /// Reads an object up to its closing brace; what was read before a stop counts.
    mutating func read(_ bytes: Span<UInt8>, _ scanner: inout JSONScanner) throws(JSONScanner.Stop) {
        try scanner.expect(UInt8(ascii: "{"), in: bytes)
        scanner.skipSpace(bytes)
        if scanner.take(UInt8(ascii: "}"), in: bytes) { return }
        repeat {
            scanner.skipSpace(bytes)
            let name = try scanner.string(bytes)
            scanner.skipSpace(bytes)
            try scanner.expect(UInt8(ascii: ":"), in: bytes)
            scanner.skipSpace(bytes)
            try readValue(of: Key(bytes, name), bytes, &scanner)
            scanner.skipSpace(bytes)
        } while scanner.take(UInt8(ascii: ","), in: bytes)
        try scanner.expect(UInt8(ascii: "}"), in: bytes)
    }

    private mutating func readValue(
        of key: Key?, _ bytes: Span<UInt8>, _ scanner: inout JSONScanner
    ) throws(JSONScanner.Stop) {
        if let key {
            guard seen & key.rawValue == 0 else { throw .malformed }
            seen |= key.rawValue
        }
        let start = scanner.position
        let kind = try scanner.value(bytes)
        let range = start..<scanner.position
        switch key {
        case .id:
            if kind == .string || kind == .number {
                isID = true
                if Self.isEchoable(bytes.extracting(range)) { id = range }
            } else if kind != .null {
                throw .malformed
            }
        case .method:
            guard kind == .string else { throw .malformed }
            method = (range.lowerBound + 1)..<(range.upperBound - 1)
        case .result, .error, nil: break
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
