import ASCII

/// The lines of an event stream (HTML Living Standard, "Server-sent events").
extension ReplyScanner {
    mutating func scanLines(_ piece: Span<UInt8>) {
        var index = 0
        while index < piece.count, !isDecided {
            switch line {
            case .content: index = scanMessage(piece, from: index)
            case .ignored: index = piece.lineEnd(from: index)
            default: index = scanFieldName(piece, from: index)
            }
            guard index < piece.count, line == .content || line == .ignored, piece[index].isLineEnd else { continue }
            line = piece[index] == 0x0D ? .afterReturn : .start
            index &+= 1
        }
    }

    /// Reads the beginning of a line up to its content; returns the index behind what was read.
    private mutating func scanFieldName(_ piece: Span<UInt8>, from index: Int) -> Int {
        let byte = piece[index]
        switch line {
        case .streamStart where byte == 0xEF || byte == 0xBB || byte == 0xBF: break
        case .afterReturn where byte == 0x0A: line = .start
        case .streamStart, .start, .afterReturn: return startLine(piece, index)
        case .name1 where byte == UInt8(ascii: "a"): line = .name2
        case .name2 where byte == UInt8(ascii: "t"): line = .name3
        case .name3 where byte == UInt8(ascii: "a"): line = .name4
        case .name4 where byte == UInt8(ascii: ":"): line = .colon
        case .colon:
            line = .content
            return byte == UInt8(ascii: " ") ? index &+ 1 : index
        case .name1, .name2, .name3, .name4, .none, .content, .ignored:
            line = .ignored
            return index
        }
        return index &+ 1
    }

    /// Reads the first byte of a line, or `data:` if it is all there.
    private mutating func startLine(_ piece: Span<UInt8>, _ index: Int) -> Int {
        switch piece[index] {
        case 0x0D, 0x0A:
            // A blank line ends the event.
            line = piece[index] == 0x0D ? .afterReturn : .start
            beginMessage()
            return index &+ 1
        case UInt8(ascii: "d"):
            line = piece.has("data:", at: index) ? .colon : .name1
            return index &+ (line == .colon ? 5 : 1)
        default:
            line = .ignored
            return index
        }
    }

    /// Forgets a message that was no answer, or not a whole one.
    private mutating func beginMessage() {
        (mode, scope, depth, isEscaped) = (.message, .message, 0, false)
        found.formIntersection(.unknown)
    }
}

extension UInt8 {
    /// Whether the byte is a carriage return or a line feed.
    fileprivate var isLineEnd: Bool { self == 0x0D || self == 0x0A }
}

extension Span where Element == UInt8 {
    /// The index of the next carriage return or line feed, or `count`.
    fileprivate func lineEnd(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 8 {
            let word = word(at: index)
            let found = WordScan.first(0x0D, in: word) | WordScan.first(0x0A, in: word)
            if found != 0 { return index &+ WordScan.index(of: found) }
            index &+= 8
        }
        while index < count, !self[index].isLineEnd { index &+= 1 }
        return index
    }
}
