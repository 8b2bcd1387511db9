import ASCII

/// Leaves tools out of the events of a stream that passes by in any pieces. An event goes on once it is whole, so that the stream
/// is between two events whenever something has gone on.
package struct ToolListEvents: Sendable {
    /// The event that is not whole yet.
    private var held: [UInt8] = []
    /// Bytes of it that were looked at.
    private var scanned = 0
    /// Something stands on its last line.
    private var isWithinLine = false
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    private var isBehindReturn = false
    private var isAtStart = true
    /// The stream answers a request for a list of tools.
    private let isAnswer: Bool
    /// An event of the answer could not be read. It has not gone on.
    package private(set) var isUnreadable = false

    /// A stream from its start. `isAnswer`: it answers `tools/list`, and else it may have answers to anything.
    package init(isAnswer: Bool) { self.isAnswer = isAnswer }

    /// Bytes that are held back.
    package var heldCount: Int { held.count }

    /// Takes what comes next. Returns what goes on: whole events.
    package mutating func take(_ piece: Span<UInt8>, allows: (String) -> Bool) -> [UInt8] {
        for index in piece.indices { held.append(piece[index]) }
        dropMark()
        var passed: [UInt8] = []
        var start = 0
        while let end = nextEnd(from: start) {
            passed += filtered(start..<end, allows)
            start = end
        }
        held.removeSubrange(..<start)
        scanned -= start
        return passed
    }

    /// The stream is over. Returns what goes on of an event that has no end: some clients take it for one.
    package mutating func finish(allows: (String) -> Bool) -> [UInt8] {
        let rest = filtered(0..<held.count, allows)
        held = []
        scanned = 0
        return rest
    }

    /// A byte order mark at the stream's start is not of its first line.
    private mutating func dropMark() {
        guard isAtStart, held.count >= 3 else { return }
        isAtStart = false
        if held.starts(with: [0xEF, 0xBB, 0xBF]), scanned == 0 { held.removeFirst(3) }
    }

    /// Behind the next blank line; nil if none is there. `start`: where the event begins.
    private mutating func nextEnd(from start: Int) -> Int? {
        // A mark may begin here.
        if isAtStart, scanned == 0, held.first == 0xEF { return nil }
        while scanned < held.count {
            let byte = held[scanned]
            let isSecond = byte == UInt8(ascii: "\n") && isBehindReturn
            isBehindReturn = byte == UInt8(ascii: "\r")
            scanned += 1
            if isSecond {
                // Of the blank line that has gone on already.
                if start == scanned - 1 { return scanned }
            } else if byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
                isWithinLine = true
            } else if isWithinLine {
                isWithinLine = false
            } else {
                if isBehindReturn, scanned < held.count, held[scanned] == UInt8(ascii: "\n") {
                    isBehindReturn = false
                    scanned += 1
                }
                return scanned
            }
        }
        return nil
    }

    // MARK: - One event

    private mutating func filtered(_ range: Range<Int>, _ allows: (String) -> Bool) -> [UInt8] {
        let bytes = Array(held[range])
        let event = bytes.span
        let data = Self.data(of: event)
        // What is no object and no array is no message, such as the endpoint of HTTP+SSE.
        guard let first = data.first(where: { !Self.isBlank($0) }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        else { return bytes }
        switch ToolListFilter.apply(to: data.span, allows: allows) {
        case .unchanged: return bytes
        case .changed(let message): return Self.replacingData(of: event, with: message)
        case .unreadable:
            if isAnswer { isUnreadable = true }
            // Without doubt it has no tools, however it is to be read.
            return !isAnswer && !Self.mayNameTools(data) ? bytes : []
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Whether a text has the word, in any case, or an escape, which may hide it.
    private static func mayNameTools(_ data: [UInt8]) -> Bool {
        let text = data.span
        for index in text.indices where text.hasIgnoringCase("tools", at: index) || text.has("\\u", at: index) {
            return true
        }
        return false
    }

    /// The data of an event: its lines, joined by line feeds.
    private static func data(of event: Span<UInt8>) -> [UInt8] {
        var data: [UInt8] = []
        forEachLine(of: event) { line, _ in
            guard let start = dataStart(event, line) else { return }
            if !data.isEmpty { data.append(UInt8(ascii: "\n")) }
            for index in start..<line.upperBound { data.append(event[index]) }
        }
        return data
    }

    /// The event with other data, which take the place of its first line of data.
    private static func replacingData(of event: Span<UInt8>, with message: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isDone = false
        forEachLine(of: event) { line, next in
            guard dataStart(event, line) != nil else {
                for index in line.lowerBound..<next { result.append(event[index]) }
                return
            }
            guard !isDone else { return }
            isDone = true
            for text in message.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
                result += "data: ".utf8
                result += text
                for index in line.upperBound..<next { result.append(event[index]) }
            }
        }
        return result
    }

    /// Where the value of a line of data begins; nil: it is another line.
    private static func dataStart(_ event: Span<UInt8>, _ line: Range<Int>) -> Int? {
        guard line.count >= 5, event.has("data:", at: line.lowerBound) else { return nil }
        let start = line.lowerBound + 5
        return start < line.upperBound && event[start] == 0x20 ? start + 1 : start
    }

    /// Calls `body` with each line, without its end, and where the next one begins.
    private static func forEachLine(of event: Span<UInt8>, _ body: (Range<Int>, Int) -> Void) {
        var start = 0
        while start < event.count {
            var end = start
            while end < event.count, event[end] != UInt8(ascii: "\n"), event[end] != UInt8(ascii: "\r") { end += 1 }
            var next = min(end + 1, event.count)
            if next < event.count, event[end] == UInt8(ascii: "\r"), event[next] == UInt8(ascii: "\n") { next += 1 }
            body(start..<end, next)
            start = next
        }
    }
}
