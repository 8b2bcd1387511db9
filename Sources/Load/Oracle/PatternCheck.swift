import ASCII
import Reactor

/// Checks a long text while it arrives. The text is the value of `"text":"…"` and must repeat the bytes a to z. The
/// message around the text is kept, without the text, for `AnswerFacts`.
struct PatternCheck {
    /// Where in the message the next byte is, seen from the text.
    private enum Place {
        case before, inside, after
    }

    /// Bytes of the text received.
    private(set) var count: UInt64 = 0
    /// A byte of the text was not the expected one.
    private(set) var hasMismatch = false
    private var place = Place.before
    /// The next expected byte: 0 for a.
    private var phase = 0
    /// Bytes of `"text":"` that have been matched.
    private var matched = 0

    /// Bytes of the message around the text, at most.
    static let frameLimit = 65_536
    private static let opening: StaticString = "\"text\":\""

    /// Checks the next bytes of the body. Those outside the text are appended to `frame`. False if `frame` exceeds
    /// `frameLimit`.
    mutating func take(_ bytes: Span<UInt8>, frame: inout ByteBuffer) -> Bool {
        var index = 0
        while index < bytes.count {
            switch place {
            case .before:
                frame.append(bytes[index])
                matchOpening(bytes[index])
                index &+= 1
            case .inside: index = matchPattern(bytes, from: index)
            case .after:
                frame.append(bytes.extracting(index..<bytes.count))
                index = bytes.count
            }
            if frame.count > PatternCheck.frameLimit { return false }
        }
        return true
    }

    /// Matches one byte against `opening`, after which the text begins.
    private mutating func matchOpening(_ byte: UInt8) {
        let opening = PatternCheck.opening
        if byte == opening[byte: matched] {
            matched += 1
            if matched == opening.utf8CodeUnitCount { place = .inside }
        } else if byte != 0x20 || matched != 7 {
            // JSON allows a space after the colon.
            matched = byte == opening[byte: 0] ? 1 : 0
        }
    }

    /// Eight bytes of the pattern from index `first`, as one little-endian word.
    private static func word(_ first: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(97 &+ (first &+ index) % 26) << UInt64(8 &* index) }
        return word
    }

    /// The eight bytes that follow `word`: 8 is added to each byte, and 26 subtracted from those beyond z. Computed,
    /// not looked up: Swift 6.3 copies a whole `InlineArray` for each element that is read.
    @inline(__always)
    private static func following(_ word: UInt64) -> UInt64 {
        let sum = word &+ 0x0808_0808_0808_0808
        let beyond = ((sum &+ 0x0505_0505_0505_0505) & 0x8080_8080_8080_8080) >> 7
        return sum &- beyond &* 26
    }

    /// Compares bytes with the pattern up to the closing quote, which belongs to the frame. Returns the offset after
    /// the last byte compared.
    private mutating func matchPattern(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var expected = Self.word(phase)
        var index = start
        while bytes.count &- index >= 8, bytes.word(at: index) == expected {
            index &+= 8
            expected = Self.following(expected)
        }
        phase = (phase &+ (index &- start)) % 26
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                place = .after
                break
            }
            if Int(byte) != 97 &+ phase { hasMismatch = true }
            phase = phase == 25 ? 0 : phase &+ 1
            index &+= 1
        }
        count &+= UInt64(index &- start)
        return index
    }
}
