/// The text of a file, with conversion between byte offsets and lines and columns.
struct SourceText {
    let file: String
    let bytes: [UInt8]
    /// The offset of each line; the first is 0.
    private let starts: [Int]

    init(_ text: String, file: String) {
        self.file = file
        let bytes = Array(text.utf8)
        starts = [0] + bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
        self.bytes = bytes
    }

    /// The line of a byte, from 1; the last line for offsets beyond the end.
    func line(of offset: Int) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    /// The column, from 1, in Unicode scalars.
    func column(of offset: Int) -> Int {
        scalars(in: starts[line(of: offset) - 1]..<min(offset, bytes.count)) + 1
    }

    /// The byte at a line and column, both from 1; the nearest one if they do not exist.
    func offset(line: Int, column: Int) -> Int {
        guard line >= 1, line <= starts.count else { return bytes.count }
        let range = content(ofLine: line)
        var offset = range.lowerBound
        var left = column - 1
        while offset < range.upperBound, left > 0 {
            offset += 1
            while offset < range.upperBound, bytes[offset] & 0xC0 == 0x80 { offset += 1 }
            left -= 1
        }
        return offset
    }

    /// The bytes of a line without its line ending; empty for a line that does not exist.
    func content(ofLine line: Int) -> Range<Int> {
        guard line >= 1, line <= starts.count else { return bytes.count..<bytes.count }
        let start = starts[line - 1]
        var end = line < starts.count ? starts[line] - 1 : bytes.count
        if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return start..<end
    }

    /// The number of Unicode scalars of a range up to the end of its first line: as many carets are drawn. At least 1.
    func visibleLength(of range: Range<Int>) -> Int {
        let end = content(ofLine: line(of: range.lowerBound)).upperBound
        guard range.lowerBound < end else { return 1 }
        return max(1, scalars(in: range.lowerBound..<min(range.upperBound, end)))
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    private func scalars(in range: Range<Int>) -> Int {
        bytes[range].count { $0 & 0xC0 != 0x80 }
    }
}
