import ASCII

extension EventStream {
    /// Looks for a field `id`, and for the members `result` and `error` of a JSON text, in a stream that passes by in any
    /// pieces. One byte of state: every stream has one.
    ///
    /// It does not know at which depth a member stands: it may see an answer where there is none, and never the other way
    /// round, unless somebody writes the name with escapes.
    struct AnswerWatch {
        /// The highest bit says that something was seen; the others where in a name the stream is.
        private(set) var bits: UInt8

        private static var seen: UInt8 { 0x80 }
        private static var text: UInt8 { 0 }
        private static var lineStart: UInt8 { 1 }
        /// Behind `i` and `id` at the start of a line.
        private static var idBegun: UInt8 { 2 }
        private static var id: UInt8 { 3 }
        private static var quote: UInt8 { 4 }
        /// Behind so many characters of "result" and its closing quote: 17 and 18...23.
        private static var result: UInt8 { 16 }
        /// The same of "error": 33...38.
        private static var error: UInt8 { 32 }
        /// Behind the closing quote of one of the two.
        private static var named: UInt8 { 48 }

        /// At the start of a stream.
        init() { bits = Self.lineStart }

        /// In a state that was kept.
        init(bits: UInt8) { self.bits = bits }

        /// An id or an answer was there.
        var hasSeen: Bool { bits & Self.seen != 0 }

        /// Looks at the bytes that come next.
        mutating func note(_ bytes: Span<UInt8>) {
            guard !hasSeen else { return }
            var state = bits
            for index in bytes.indices {
                let byte = bytes[index]
                // Most bytes are text within text.
                if state == Self.text, byte > UInt8(ascii: "\"") { continue }
                state = Self.next(state, byte)
                if state == Self.seen { break }
            }
            bits = state
        }

        private static func next(_ state: UInt8, _ byte: UInt8) -> UInt8 {
            switch byte {
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"): return state == id ? seen : lineStart
            case UInt8(ascii: ":") where state == id || state == named: return seen
            case UInt8(ascii: " ") where state == named, UInt8(ascii: "\t") where state == named: return named
            case UInt8(ascii: "\"") where state == result + 6 || state == error + 5: return named
            case UInt8(ascii: "\""): return quote
            case UInt8(ascii: "i") where state == lineStart: return idBegun
            case UInt8(ascii: "d") where state == idBegun: return id
            case UInt8(ascii: "r") where state == quote: return result + 1
            case UInt8(ascii: "e") where state == quote: return error + 1
            default:
                return isNext(byte, in: "result", of: result, state) || isNext(byte, in: "error", of: error, state)
                    ? state + 1 : text
            }
        }

        /// Whether `state` is within `name`, and `byte` comes next in it.
        private static func isNext(_ byte: UInt8, in name: StaticString, of first: UInt8, _ state: UInt8) -> Bool {
            guard state > first, state < first + UInt8(truncatingIfNeeded: name.utf8CodeUnitCount) else { return false }
            return name[byte: Int(state - first)] == byte
        }
    }

    /// Calls `body` with the data of each event that has some: its lines, joined by line feeds. What follows the last
    /// blank line is no event.
    package static func forEachMessage(in text: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        var data: [UInt8] = []
        var hasData = false
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n"), text[end] != UInt8(ascii: "\r") { end += 1 }
            guard end < text.count else { return }
            if end == start {
                if hasData { body(data.span) }
                data.removeAll(keepingCapacity: true)
                hasData = false
            } else if text.has("data:", at: start) {
                if hasData { data.append(UInt8(ascii: "\n")) }
                hasData = true
                let first = start + 5
                let content = first < end && text[first] == UInt8(ascii: " ") ? first + 1 : first
                for index in content..<end { data.append(text[index]) }
            }
            start = end + 1
            if text[end] == UInt8(ascii: "\r"), start < text.count, text[start] == UInt8(ascii: "\n") { start += 1 }
        }
    }
}
