import ASCII
import JSON

/// A request or notification as clients write them: whole, and with nothing that needs a second look, such as names with
/// escapes, members that stand there twice, or texts that are none.
struct RegularRequest {
    private(set) var places = RequestSummary.Places()
    private var hasMeta = false

    /// The object whose members are read.
    private enum Level: UInt8 { case meta, params, message }

    /// Reads a message of at most 4 GiB; nil: it needs a second look.
    init?(_ text: Span<UInt8>) {
        var cursor = JSONCursor()
        guard cursor.enter(text) else { return nil }
        var level = Level.message
        while true {
            let member = cursor.nextName(text)
            if member.count < 0 {
                guard member.count == -1 else { return nil }
                switch level {
                case .meta: level = .params
                case .params: (level, places.params.end) = (.message, UInt32(truncatingIfNeeded: cursor.position))
                case .message:
                    guard places.method.end != 0, cursor.isAtEnd(text) else { return nil }
                    return
                }
                continue
            }
            let start = cursor.position
            let first = text[start]
            if first == UInt8(ascii: "{"), let inner = enter(member, level, at: start) {
                _ = cursor.enter(text)
                level = inner
                continue
            }
            guard cursor.skipValue(text), note(member, level, first, start, cursor.position, text) else { return nil }
        }
    }

    /// The object to step into that a member's value is, if it is one whose members count.
    @inline(__always)
    private mutating func enter(_ member: JSONCursor.Name, _ level: Level, at start: Int) -> Level? {
        switch (level, member.word) {
        case (.message, UInt64(ascii: "params\0\0")) where places.params.start == 0:
            places.params.start = UInt32(truncatingIfNeeded: start)
            return .params
        case (.params, UInt64(ascii: "_meta\0\0\0")) where !hasMeta:
            hasMeta = true
            return .meta
        default: return nil
        }
    }

    /// Takes note of a member whose value is none to step into. False if that needs a second look.
    @inline(__always)
    private mutating func note(
        _ member: JSONCursor.Name, _ level: Level, _ first: UInt8, _ start: Int, _ end: Int, _ text: Span<UInt8>
    ) -> Bool {
        let isString = first == UInt8(ascii: "\"")
        let content = RequestSummary.Place(start &+ 1, end &- 1)
        switch level {
        case .message:
            switch member.word {
            case UInt64(ascii: "method\0\0"): return Self.set(&places.method, content, isString)
            case UInt64(ascii: "id\0\0\0\0\0\0"):
                guard places.id.end == 0, isString || first == UInt8(ascii: "-") || first.isDigit else { return false }
                places.id = RequestSummary.Place(start, end)
            case UInt64(ascii: "params\0\0"), UInt64(ascii: "result\0\0"), UInt64(ascii: "error\0\0\0"): return false
            default: break
            }
        case .params:
            switch member.word {
            case UInt64(ascii: "name\0\0\0\0"): return Self.set(&places.name, content, isString)
            case UInt64(ascii: "uri\0\0\0\0\0"): return Self.set(&places.uri, content, isString)
            case UInt64(ascii: "taskId\0\0"): return Self.set(&places.taskID, content, isString)
            case UInt64(ascii: "_meta\0\0\0"): return false
            default: break
            }
        case .meta:
            if member.word == UInt64(ascii: "tracepar"), member.count == 11, text.has("ent", at: member.start &+ 8) {
                return Self.set(&places.traceparent, content, isString)
            }
            if member.word == UInt64(ascii: "io.model"), member.count == 39,
                text.has("io.modelcontextprotocol/protocolVersion", at: member.start)
            {
                return Self.set(&places.protocolVersion, content, isString)
            }
        }
        return true
    }

    @inline(__always)
    private static func set(_ place: inout RequestSummary.Place, _ content: RequestSummary.Place, _ isString: Bool)
        -> Bool
    {
        guard isString, place.end == 0 else { return false }
        place = content
        return true
    }
}
