import ASCII
import Reactor

/// Checks a long text while it arrives: the letters a to z over and over, so many of them and nothing else between the
/// quotes of `"text":"…"`. What stands before and after them is kept, without the letters, for `AnswerFacts`.
struct PatternCheck {
    private enum Place {
        case before, inside, after
    }

    /// Letters seen.
    private(set) var count: UInt64 = 0
    /// A byte was not the letter it should be.
    private(set) var isSpoilt = false
    private var place = Place.before
    /// Which letter is next: 0 for a.
    private var phase = 0
    /// How much of `"text":"` has been matched.
    private var matched = 0

    /// Most bytes around the letters.
    static let frameLimit = 65_536
    private static let opening: StaticString = "\"text\":\""

    /// Takes the next bytes of the body. What is not letters is appended to `frame`. False if that becomes too much.
    mutating func take(_ bytes: Span<UInt8>, frame: inout ByteBuffer) -> Bool {
        var index = 0
        while index < bytes.count {
            switch place {
            case .before:
                frame.append(bytes[index])
                note(bytes[index])
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

    private mutating func note(_ byte: UInt8) {
        let opening = PatternCheck.opening
        if byte == opening[byte: matched] {
            matched += 1
            if matched == opening.utf8CodeUnitCount { place = .inside }
        } else if byte != 0x20 || matched != 7 {
            // JSON allows a blank behind the colon.
            matched = byte == opening[byte: 0] ? 1 : 0
        }
    }

    /// The eight letters from `first` on, as one number.
    private static func word(_ first: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(97 &+ (first &+ index) % 26) << UInt64(8 &* index) }
        return word
    }

    /// The eight letters after those: 8 added to each byte, 26 taken off those that go beyond z. Reckoned rather than
    /// looked up: Swift 6.3 copies a whole `InlineArray` for each element that is read.
    @inline(__always)
    private static func following(_ word: UInt64) -> UInt64 {
        let sum = word &+ 0x0808_0808_0808_0808
        let beyond = ((sum &+ 0x0505_0505_0505_0505) & 0x8080_8080_8080_8080) >> 7
        return sum &- beyond &* 26
    }

    /// Walks over letters up to the closing quote, which is left to be read as part of the frame.
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
            if Int(byte) != 97 &+ phase { isSpoilt = true }
            phase = phase == 25 ? 0 : phase &+ 1
            index &+= 1
        }
        count &+= UInt64(index &- start)
        return index
    }
}
