import JSON

/// The members of a message's top level that say what it is.
struct MessageMembers {
    private var seen: UInt8 = 0
    private var isID = false
    /// As it stands in the message, if it is one to echo.
    private(set) var id: Range<Int>?
    /// Between its quotes, escapes as written.
    private(set) var method: Range<Int>?
    /// The value of `params`, brackets included; nil if there is none or it is cut off.
    private(set) var params: Range<Int>?
    /// `params.name`, `params.uri` and `params.taskId`.
    private(set) var name = StringMember(), uri = StringMember(), taskID = StringMember()
    /// `traceparent` and `io.modelcontextprotocol/protocolVersion` of `params._meta`.
    private(set) var traceparent = StringMember(), protocolVersion = StringMember()
    /// `params` stands there twice.
    private(set) var hasRepeatedParams = false

    /// A member that should be a string and stand there once.
    struct StringMember {
        private var range: Range<Int>?
        private(set) var isAmbiguous = false

        /// Between its quotes, escapes as written; nil if it is not there, or is there twice or as something else.
        var text: Range<Int>? { isAmbiguous ? nil : range }

        /// Takes note of a value that begins with the byte `first`.
        mutating func note(_ value: Range<Int>, _ first: UInt8?) {
            if range != nil || first != UInt8(ascii: "\"") { isAmbiguous = true }
            range = (value.lowerBound + 1)..<max(value.lowerBound + 1, value.upperBound - 1)
        }
    }

    private enum Parameter {
        case name, uri, taskID, meta

        init?(_ name: Span<UInt8>) {
            if JSONString.content(name, equals: "name") {
                self = .name
            } else if JSONString.content(name, equals: "uri") {
                self = .uri
            } else if JSONString.content(name, equals: "taskId") {
                self = .taskID
            } else if JSONString.content(name, equals: "_meta") {
                self = .meta
            } else {
                return nil
            }
        }
    }

    private enum Key: UInt8 {
        case id = 1
        case method = 2
        case result = 4
        case error = 8
        case params = 16

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
            } else if JSONString.content(name, equals: "params") {
                self = .params
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
                if seen & key.rawValue != 0 {
                    // Twice the same parameters say nothing against an id that stands there once.
                    guard key == .params else { return false }
                    hasRepeatedParams = true
                }
                seen |= key.rawValue
            }
            let first = reader.peek(bytes)
            if key == .params, first == UInt8(ascii: "{"), !hasRepeatedParams {
                guard readParams(bytes, &reader) == .whole else { return true }
                continue
            }
            guard let range = reader.value(bytes) else { return true }
            guard note(key, first, range, bytes) else { return false }
        }
        return true
    }

    /// How much of a value was there.
    private enum Extent { case whole, cut }

    /// Reads an object of parameters, which comes next.
    private mutating func readParams(_ bytes: Span<UInt8>, _ reader: inout JSONReader) -> Extent {
        guard reader.openObject(bytes) else { return .cut }
        let start = reader.position - 1
        while let key = reader.nextName(bytes) {
            let key = Parameter(bytes.extracting(key))
            let first = reader.peek(bytes)
            if key == .meta, first == UInt8(ascii: "{") {
                guard readMeta(bytes, &reader) == .whole else { return .cut }
                continue
            }
            guard let range = reader.value(bytes) else { return .cut }
            if let key { note(key, range, first) }
        }
        guard reader.failure == nil else { return .cut }
        params = start..<reader.position
        return .whole
    }

    /// Takes note of a parameter whose value begins with the byte `first`.
    private mutating func note(_ key: Parameter, _ value: Range<Int>, _ first: UInt8?) {
        switch key {
        case .name: name.note(value, first)
        case .uri: uri.note(value, first)
        case .taskID: taskID.note(value, first)
        case .meta: break
        }
    }

    /// Reads the object `_meta` of the parameters, which comes next.
    private mutating func readMeta(_ bytes: Span<UInt8>, _ reader: inout JSONReader) -> Extent {
        guard reader.openObject(bytes) else { return .cut }
        while let key = reader.nextName(bytes) {
            let key = bytes.extracting(key)
            let isTrace = JSONString.content(key, equals: "traceparent")
            let isVersion = JSONString.content(key, equals: "io.modelcontextprotocol/protocolVersion")
            let first = reader.peek(bytes)
            guard let range = reader.value(bytes) else { return .cut }
            if isTrace { traceparent.note(range, first) }
            if isVersion { protocolVersion.note(range, first) }
        }
        return reader.failure == nil ? .whole : .cut
    }

    /// Takes note of a value that begins with the byte `first`. False if the member may have no such value.
    private mutating func note(_ key: Key?, _ first: UInt8?, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        switch (key, first) {
        case (.id, UInt8(ascii: "{")), (.id, UInt8(ascii: "[")), (.id, UInt8(ascii: "t")), (.id, UInt8(ascii: "f")):
            return false
        case (.id, UInt8(ascii: "n")): return true
        case (.id, _):
            isID = true
            if JSONRPC.isEchoable(bytes.extracting(range)) { id = range }
            return true
        case (.method, UInt8(ascii: "\"")):
            method = (range.lowerBound + 1)..<(range.upperBound - 1)
            return true
        case (.method, _): return false
        case (.params, _):
            if !hasRepeatedParams { params = range }
            return true
        case (.result, _), (.error, _), (nil, _): return true
        }
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
