import ASCII

/// Finds the replies of a server in the bytes that come from it, in pieces of any size.
///
/// It keeps no bytes: the caller gives those of the present reply from their first one on, each time with what has come since, and
/// takes them away when the reply is whole. What was looked at once is not looked at again. Nothing is allocated.
package struct ReplyReader: Sendable {
    /// What came of a look.
    package enum Step: Equatable, Sendable {
        /// More bytes have to come.
        case incomplete
        /// A reply, which ends before this offset.
        case reply(RedisReply, end: Int)
        /// Something that no command has asked for, which ends before this offset (RESP3 push).
        case push(end: Int)
        /// This is no reply; nothing behind it can be read.
        case invalid(ReplyFault)
    }

    /// An array, a set, a map, a push or an attribute whose elements are being read.
    private struct Frame {
        var remaining = 0
        /// It stands before the value that it describes, and is none itself (RESP3 attribute).
        var isAttribute = false
    }

    private let limits: ReplyLimits
    /// Where the next value of the reply begins.
    private var offset = 0
    /// Up to where the line there was searched for its end.
    private var searched = 0
    /// What the reply is, once its first line is read.
    private var reply: RedisReply?
    private var isPush = false
    private var elements = 0
    private var frames = InlineArray<8, Frame>(repeating: Frame())
    private var depth = 0

    /// A reader of what comes first.
    package init(_ limits: ReplyLimits = ReplyLimits()) { self.limits = limits }

    /// Looks for the end of the reply that `bytes` begin with.
    package mutating func next(_ bytes: Span<UInt8>) -> Step {
        while true {
            switch value(bytes) {
            case .incomplete: return bytes.count > limits.bytes ? .invalid(.tooLong) : .incomplete
            case .invalid(let fault): return .invalid(fault)
            case .opened: continue
            case .done: if finishValue() == .goesOn { continue }
            }
            let step: Step = isPush ? .push(end: offset) : .reply(reply ?? .null, end: offset)
            self = ReplyReader(limits)
            return step
        }
    }

    // MARK: - Values

    private enum ValueResult {
        case incomplete
        /// A value was read to its end.
        case done
        /// Elements follow.
        case opened
        case invalid(ReplyFault)
    }

    private mutating func value(_ bytes: Span<UInt8>) -> ValueResult {
        let line: Range<Int>
        switch self.line(bytes) {
        case .none: return .incomplete
        case .invalid(let fault): return .invalid(fault)
        case .found(let range): line = range
        }
        let text = line.lowerBound + 1..<line.upperBound
        switch bytes[line.lowerBound] {
        case UInt8(ascii: "+"): return scalar(.status(text), line)
        case UInt8(ascii: "-"): return scalar(.error(RedisError(bytes.extracting(text)), text), line)
        case UInt8(ascii: ","), UInt8(ascii: "("): return scalar(.number(text), line)
        case UInt8(ascii: "_"): return text.isEmpty ? scalar(.null, line) : .invalid(.badNumber)
        case UInt8(ascii: ":"):
            guard let number = Self.integer(bytes.extracting(text)) else { return .invalid(.badNumber) }
            return scalar(.integer(number), line)
        case UInt8(ascii: "#"):
            guard text.count == 1 else { return .invalid(.badNumber) }
            switch bytes[text.lowerBound] {
            case UInt8(ascii: "t"): return scalar(.boolean(true), line)
            case UInt8(ascii: "f"): return scalar(.boolean(false), line)
            default: return .invalid(.badNumber)
            }
        case let type: return sized(type, bytes, line)
        }
    }

    /// What begins with a length.
    private mutating func sized(_ type: UInt8, _ bytes: Span<UInt8>, _ line: Range<Int>) -> ValueResult {
        guard Self.sizedTypes.contains(type) else { return .invalid(.unknownType(type)) }
        let text = bytes.extracting(line.lowerBound + 1..<line.upperBound)
        // RESP2 has no other way to say that there is nothing.
        if text.equals("-1"), type == UInt8(ascii: "$") || type == UInt8(ascii: "*") { return scalar(.null, line) }
        guard let length = text.decimal else { return .invalid(.badNumber) }
        switch type {
        case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="):
            guard length <= UInt64(limits.bytes) else { return .invalid(.tooLong) }
            return content(type, bytes, line.upperBound + 2, Int(length))
        default:
            guard length <= UInt64(limits.elements) else { return .invalid(.tooManyElements) }
            return open(type, Int(length), line)
        }
    }

    private static let sizedTypes = Array("$!=*~%>|".utf8)

    private mutating func content(_ type: UInt8, _ bytes: Span<UInt8>, _ start: Int, _ length: Int) -> ValueResult {
        let end = start + length
        guard end + 2 <= limits.bytes else { return .invalid(.tooLong) }
        guard end + 2 <= bytes.count else { return .incomplete }
        guard bytes[end] == 0x0d, bytes[end + 1] == 0x0a else { return .invalid(.badEnd) }
        var range = start..<end
        if type == UInt8(ascii: "=") {
            // Three letters say what the text is: "txt:".
            guard length >= 4, bytes[start + 3] == UInt8(ascii: ":") else { return .invalid(.badNumber) }
            range = start + 4..<end
        }
        note(type == UInt8(ascii: "!") ? .error(RedisError(bytes.extracting(range)), range) : .bytes(range))
        return advance(to: end + 2)
    }

    private mutating func open(_ type: UInt8, _ length: Int, _ line: Range<Int>) -> ValueResult {
        let count = type == UInt8(ascii: "%") || type == UInt8(ascii: "|") ? 2 * length : length
        let isAttribute = type == UInt8(ascii: "|")
        if type == UInt8(ascii: ">") {
            guard depth == 0, reply == nil else { return .invalid(.misplaced) }
            isPush = true
        }
        elements += count
        guard elements <= limits.elements else { return .invalid(.tooManyElements) }
        if !isAttribute { note(.elements(count)) }
        let result = advance(to: line.upperBound + 2)
        guard case .done = result else { return result }
        guard count > 0 else { return isAttribute ? .opened : .done }
        guard depth < ReplyLimits.depth else { return .invalid(.tooDeep) }
        frames[depth] = Frame(remaining: count, isAttribute: isAttribute)
        depth += 1
        return .opened
    }

    private mutating func scalar(_ value: RedisReply, _ line: Range<Int>) -> ValueResult {
        note(value)
        return advance(to: line.upperBound + 2)
    }

    /// What stands outside of everything is the reply.
    private mutating func note(_ value: RedisReply) {
        if depth == 0 { reply = value }
    }

    private mutating func advance(to end: Int) -> ValueResult {
        guard end <= limits.bytes else { return .invalid(.tooLong) }
        offset = end
        searched = end
        return .done
    }

    private enum Progress { case goesOn, whole }

    /// A value is read to its end, and perhaps what it stands in.
    private mutating func finishValue() -> Progress {
        while depth > 0 {
            frames[depth - 1].remaining -= 1
            if frames[depth - 1].remaining > 0 { return .goesOn }
            depth -= 1
            if frames[depth].isAttribute { return .goesOn }
        }
        return .whole
    }

    // MARK: - Lines

    private enum LineResult {
        case none
        /// The line with its type, without its end.
        case found(Range<Int>)
        case invalid(ReplyFault)
    }

    private mutating func line(_ bytes: Span<UInt8>) -> LineResult {
        var index = max(searched, offset)
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x0a { return .invalid(.badEnd) }
            if byte == 0x0d {
                guard index > offset else { return .invalid(.unknownType(byte)) }
                guard index + 1 < bytes.count else { break }
                return bytes[index + 1] == 0x0a ? .found(offset..<index) : .invalid(.badEnd)
            }
            index += 1
            if index - offset > limits.line { return .invalid(.tooLong) }
        }
        searched = index
        return .none
    }

    private static func integer(_ text: Span<UInt8>) -> Int64? {
        guard let first = text.count > 0 ? text[0] : nil else { return nil }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        guard let digits = text.extracting((isSigned ? 1 : 0)..<text.count).decimal else { return nil }
        if first == UInt8(ascii: "-") {
            return digits <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- digits) : nil
        }
        return Int64(exactly: digits)
    }
}
