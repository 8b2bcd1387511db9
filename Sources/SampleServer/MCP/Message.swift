import ASCII
import JSON
import Reactor

/// One JSON-RPC message, as far as this server cares: ranges into the body it came from.
struct Message {
    enum Kind {
        case request, notification, response
        /// Not JSON: -32700.
        case malformed
        /// JSON, but not one message, or one with an id that no message may have: -32600.
        case invalid
    }

    enum Method {
        case initialize, ping, toolsList, toolsCall, discover, listen, other
    }

    enum Tool {
        case echo, whoami, record, sleep, count, bytes
    }

    private(set) var kind = Kind.malformed
    private(set) var method = Method.other
    /// As sent, without quotes.
    private(set) var methodName = ByteRange.empty
    /// Number or string as sent, quotes included. Empty where there is none.
    private(set) var id = ByteRange.empty
    private(set) var tool: Tool?
    /// `params.name` without quotes; nil if absent.
    private(set) var toolName: ByteRange?
    /// `params.arguments.text`, a JSON string with its quotes: it goes into the answer as it came.
    private(set) var text: ByteRange?
    private(set) var milliseconds: UInt64?
    private(set) var to: UInt64?
    private(set) var interval: UInt64?
    private(set) var size: UInt64?
    /// `params.protocolVersion` of an initialize.
    private(set) var requestedVersion: ByteRange?
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`.
    private(set) var metaVersion: ByteRange?
    private(set) var declaresCapabilities = false
    /// Number or string as sent, quotes included.
    private(set) var progressToken: ByteRange?
    private(set) var listensToTools = false

    private var hasID = false
    private var hasMethod = false
    private var hasOutcome = false
    private var isVersion2 = false

    init(_ body: Span<UInt8>) {
        guard (try? UTF8Span(validating: body)) != nil else { return }
        var reader = JSONReader()
        let isObject = reader.openObject(body)
        if isObject {
            readMembers(&reader, body)
        } else {
            _ = reader.value(body)
        }
        guard reader.isAtEnd(body) else { return }
        kind = isObject ? verdict : .invalid
    }

    private var verdict: Kind {
        guard isVersion2, hasMethod != hasOutcome else { return .invalid }
        if hasID, id.isEmpty { return .invalid }
        if hasOutcome { return .response }
        return hasID ? .request : .notification
    }

    private mutating func readMembers(_ reader: inout JSONReader, _ body: Span<UInt8>) {
        while let key = reader.nextName(body) {
            let name = body.extracting(key)
            if name.equals("method"), reader.peek(body) == UInt8(ascii: "\"") {
                methodName = reader.string(body).map(ByteRange.init) ?? .empty
                method = Message.method(named: body.extracting(methodName.range))
                hasMethod = true
            } else if name.equals("id") {
                hasID = true
                id = Message.label(&reader, body) ?? .empty
            } else if name.equals("params"), reader.openObject(body) {
                readParameters(&reader, body)
            } else if let value = reader.value(body) {
                if name.equals("jsonrpc") { isVersion2 = body.extracting(value).equals("\"2.0\"") }
                if name.equals("result") || name.equals("error") { hasOutcome = true }
            }
        }
    }

    private mutating func readParameters(_ reader: inout JSONReader, _ body: Span<UInt8>) {
        while let key = reader.nextName(body) {
            let name = body.extracting(key)
            let isString = reader.peek(body) == UInt8(ascii: "\"")
            if name.equals("name"), isString {
                toolName = reader.string(body).map(ByteRange.init)
                tool = toolName.flatMap { Message.tool(named: body.extracting($0.range)) }
            } else if name.equals("protocolVersion"), isString {
                requestedVersion = reader.string(body).map(ByteRange.init)
            } else if name.equals("arguments"), reader.openObject(body) {
                readArguments(&reader, body)
            } else if name.equals("_meta"), reader.openObject(body) {
                readMeta(&reader, body)
            } else if name.equals("notifications"), reader.openObject(body) {
                readFilter(&reader, body)
            } else {
                _ = reader.value(body)
            }
        }
    }

    private mutating func readArguments(_ reader: inout JSONReader, _ body: Span<UInt8>) {
        while let key = reader.nextName(body) {
            let isString = reader.peek(body) == UInt8(ascii: "\"")
            guard let value = reader.value(body) else { return }
            let name = body.extracting(key)
            let number = body.extracting(value).decimal
            if name.equals("text"), isString { text = ByteRange(value) }
            if name.equals("milliseconds") { milliseconds = number }
            if name.equals("to") { to = number }
            if name.equals("intervalMilliseconds") { interval = number }
            if name.equals("n") { size = number }
        }
    }

    private mutating func readMeta(_ reader: inout JSONReader, _ body: Span<UInt8>) {
        while let key = reader.nextName(body) {
            let name = body.extracting(key)
            let first = reader.peek(body)
            if name.equals("progressToken") {
                progressToken = Message.label(&reader, body)
            } else if name.equals("io.modelcontextprotocol/protocolVersion"), first == UInt8(ascii: "\"") {
                metaVersion = reader.string(body).map(ByteRange.init)
            } else {
                _ = reader.value(body)
                if name.equals("io.modelcontextprotocol/clientCapabilities") {
                    declaresCapabilities = first == UInt8(ascii: "{")
                }
            }
        }
    }

    private mutating func readFilter(_ reader: inout JSONReader, _ body: Span<UInt8>) {
        while let key = reader.nextName(body) {
            guard let value = reader.value(body) else { return }
            if body.extracting(key).equals("toolsListChanged") {
                listensToTools = body.extracting(value).equals("true")
            }
        }
    }

    /// An id or progress token: a string or an integer, nil for anything else (null included).
    private static func label(_ reader: inout JSONReader, _ body: Span<UInt8>) -> ByteRange? {
        let isString = reader.peek(body) == UInt8(ascii: "\"")
        guard let value = reader.value(body) else { return nil }
        if isString { return value.count <= 1_024 ? ByteRange(value) : nil }
        let digits = body.extracting(value)
        let start = digits.count > 0 && digits[0] == UInt8(ascii: "-") ? 1 : 0
        return digits.extracting(start..<digits.count).decimal == nil ? nil : ByteRange(value)
    }

    private static func method(named name: Span<UInt8>) -> Method {
        if name.equals("tools/call") { return .toolsCall }
        if name.equals("tools/list") { return .toolsList }
        if name.equals("ping") { return .ping }
        if name.equals("initialize") { return .initialize }
        if name.equals("server/discover") { return .discover }
        if name.equals("subscriptions/listen") { return .listen }
        return .other
    }

    private static func tool(named name: Span<UInt8>) -> Tool? {
        if name.equals("echo") { return .echo }
        if name.equals("whoami") { return .whoami }
        if name.equals("record") { return .record }
        if name.equals("sleep") { return .sleep }
        if name.equals("count") { return .count }
        if name.equals("bytes") { return .bytes }
        return nil
    }
}

extension ByteRange {
    fileprivate init(_ range: Range<Int>) { self.init(start: range.lowerBound, count: range.count) }
}
