import ASCII

/// Up to 24 bytes of text in lower case, as three words for fast comparison: the first eight bytes, the next eight, and
/// the last eight, which may overlap the others. Together with the length they identify the text.
///
/// Setting bit 0x20 makes letters lower case. A comparison with text of lower-case letters, digits, `-`, `.` and `/` is
/// then exact if the bytes have no control characters, which the scans before have checked.
struct LowercasedASCII {
    let length: Int
    private(set) var first: UInt64
    private(set) var middle: UInt64 = 0
    private(set) var last: UInt64 = 0

    /// The text at `offset`, which must be within `bytes`. Text longer than 24 bytes equals no other text.
    @inline(__always)
    init(_ bytes: Span<UInt8>, at offset: Int, length: Int) {
        self.length = length
        first = bytes.word(at: offset, length: length) | WordScan.lowerCaseBits
        guard length > 8 else { return }
        last = bytes.word(at: offset &+ length &- 8) | WordScan.lowerCaseBits
        guard length > 16 else { return }
        middle = bytes.word(at: offset &+ 8) | WordScan.lowerCaseBits
    }

    /// The bytes that the words have, of longer text.
    static var comparedBytes: Int { 24 }

    /// Whether there is an underscore among the bytes of the words.
    @inline(__always)
    var hasUnderscore: Bool {
        // With bit 0x20 set an underscore is 0x7F, and no other byte of a token is.
        WordScan.first(0x7F, in: first) | WordScan.first(0x7F, in: middle) | WordScan.first(0x7F, in: last) != 0
    }

    /// Replaces every underscore with a hyphen.
    mutating func hyphenate() {
        first = Self.hyphenated(first)
        middle = Self.hyphenated(middle)
        last = Self.hyphenated(last)
    }

    private static func hyphenated(_ word: UInt64) -> UInt64 {
        // With bit 0x20 set an underscore is 0x7F, which differs from a hyphen by 0x52.
        word ^ ((WordScan.every(0x7F, in: word) >> 7) &* 0x52)
    }

    /// Compares with text of up to eight characters, padded with spaces to eight: bit 0x20 turns the zero bytes after
    /// short text into spaces.
    @inline(__always)
    func equals(_ text: StaticString, length: Int) -> Bool {
        self.length == length && first == UInt64(ascii: text)
    }

    /// Compares with text of 9 to 16 characters, given as its first eight and its last eight.
    @inline(__always)
    func equals(_ first: StaticString, _ last: StaticString, length: Int) -> Bool {
        self.length == length && differs(first, last) == 0
    }

    /// Compares with text of 17 to 24 characters, given as its first eight, the next eight and its last eight.
    @inline(__always)
    func equals(_ first: StaticString, _ middle: StaticString, _ last: StaticString, length: Int) -> Bool {
        self.length == length && differs(first, last) | (self.middle ^ UInt64(ascii: middle)) == 0
    }

    @inline(__always)
    private func differs(_ first: StaticString, _ last: StaticString) -> UInt64 {
        (self.first ^ UInt64(ascii: first)) | (self.last ^ UInt64(ascii: last))
    }
}
