import ASCII

/// Up to 24 bytes of text folded to lower case, in three words that can be compared at once: the first eight bytes,
/// the eight after them, and the last eight, which overlap the others. Together with the length they say it all.
///
/// The fold sets bit 0x20. That is exact against text of lower-case letters, digits and `-`, `.`, `/` as long as the
/// bytes folded are free of control characters, which every scan before has seen to.
struct LowercasedASCII {
    let length: Int
    private(set) var first: UInt64
    private(set) var middle: UInt64 = 0
    private(set) var last: UInt64 = 0

    /// The text at `offset`, which must lie within `bytes`. Longer text than 24 bytes equals nothing.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int) {
        self.length = length
        first = bytes.word(at: offset, length: length) | WordScan.lowerCaseBits
        guard length > 8 else { return }
        last = bytes.word(at: offset &+ length &- 8) | WordScan.lowerCaseBits
        guard length > 16 else { return }
        middle = bytes.word(at: offset &+ 8) | WordScan.lowerCaseBits
    }

    /// Reads every underscore as a hyphen.
    mutating func hyphenate() {
        first = Self.hyphenated(first)
        middle = Self.hyphenated(middle)
        last = Self.hyphenated(last)
    }

    private static func hyphenated(_ word: UInt64) -> UInt64 {
        // Folded, an underscore is 0x7F: 0x52 away from a hyphen.
        word ^ ((WordScan.every(0x7F, in: word) >> 7) &* 0x52)
    }

    /// Compares with text of up to eight characters, padded with spaces to eight: folding makes spaces of the zero
    /// bytes after short text.
    @inline(__always)
    func equals(_ text: StaticString, length: Int) -> Bool {
        self.length == length && first == UInt64(ascii: text)
    }

    /// Compares with text of 9 to 16 characters: its first eight and its last eight.
    @inline(__always)
    func equals(_ first: StaticString, _ last: StaticString, length: Int) -> Bool {
        self.length == length && differs(first, last) == 0
    }

    /// Compares with text of 17 to 24 characters: its first eight, the eight after them, and its last eight.
    @inline(__always)
    func equals(_ first: StaticString, _ middle: StaticString, _ last: StaticString, length: Int) -> Bool {
        self.length == length && differs(first, last) | (self.middle ^ UInt64(ascii: middle)) == 0
    }

    @inline(__always)
    private func differs(_ first: StaticString, _ last: StaticString) -> UInt64 {
        (self.first ^ UInt64(ascii: first)) | (self.last ^ UInt64(ascii: last))
    }
}
