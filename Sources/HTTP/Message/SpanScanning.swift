import ASCII
import Reactor

/// Scans over the bytes of a head. They take and return offsets between 0 and `count`.
extension Span where Element == UInt8 {
    /// The index of the first byte from `offset` on that no token may have, or `count`.
    @inline(__always)
    func tokenEnd(from offset: Int) -> Int {
        var index = offset
        while index < count, ByteClass.isToken(self[index]) { index &+= 1 }
        return index
    }

    /// The index of the first control character other than HTAB from `offset` on, or `count`.
    @inline(__always)
    func textEnd(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 8 {
            let word = self.word(at: index)
            let stop = WordScan.first(below: 0x20, in: word) | WordScan.first(0x7F, in: word)
            guard stop != 0 else {
                index &+= 8
                continue
            }
            index &+= WordScan.index(of: stop)
            guard self[index] == ByteClass.tab else { return index }
            index &+= 1
        }
        while index < count, !ByteClass.isForbiddenControl(self[index]) { index &+= 1 }
        return index
    }

    /// The index of the first byte from `offset` on that no request target may have, or `count`.
    @inline(__always)
    func targetEnd(from offset: Int) -> Int {
        var index = offset
        while count &- index >= 8 {
            let word = self.word(at: index)
            let stop =
                WordScan.first(below: 0x21, in: word) | WordScan.first(0x7F, in: word)
                | WordScan.first(UInt8(ascii: "#"), in: word) | (word & WordScan.everyTopBit)
            if stop != 0 { return index &+ WordScan.index(of: stop) }
            index &+= 8
        }
        while index < count, ByteClass.isTarget(self[index]) { index &+= 1 }
        return index
    }

    /// The index of the first byte from `offset` on that is neither SP nor HTAB, or `end`.
    @inline(__always)
    func skipBlanks(from offset: Int, to end: Int) -> Int {
        var index = offset
        while index < end, ByteClass.isBlank(self[index]) { index &+= 1 }
        return index
    }

    /// The end of `start..<end` without the white space at its end.
    @inline(__always)
    func trimBlanks(from start: Int, to end: Int) -> Int {
        var index = end
        while index > start, ByteClass.isBlank(self[index &- 1]) { index &-= 1 }
        return index
    }

    /// The first min(`length`, 8) bytes at `offset`, padded with zero bytes.
    @inline(__always)
    func word(at offset: Int, length: Int) -> UInt64 {
        if count &- offset >= 8 {
            let word = self.word(at: offset)
            return length >= 8 ? word : word & ((1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1)
        }
        return bytewiseWord(at: offset, length: length)
    }

    @inline(never)
    private func bytewiseWord(at offset: Int, length: Int) -> UInt64 {
        var word: UInt64 = 0
        var index = 0
        while index < Swift.min(length, 8), offset &+ index < count {
            word |= UInt64(self[offset &+ index]) << UInt64(truncatingIfNeeded: 8 &* index)
            index &+= 1
        }
        return word
    }

    /// The decimal number in `range`, of 1 to 18 digits; nil if there is anything else.
    func decimal(_ range: Range<Int>) -> UInt64? {
        range.count <= 18 ? extracting(range).decimal : nil
    }
}
