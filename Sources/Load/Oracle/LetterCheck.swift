import Reactor

/// Checks a long text while it arrives: the letters a to z over and over, so many of them and nothing else between the
/// quotes of `"text":"…"`. What stands before and after them is kept, without the letters, for `AnswerFacts`.
struct LetterCheck {
    private enum Place {
        case before, inside, after
    }

    /// Letters seen.
    private(set) var count: UInt64 = 0
    /// A byte was not the letter it should be.
    private(set) var isSpoilt = false
    private var place = Place.before
    private var expected: UInt8 = 97
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
            case .inside: index = letters(bytes, from: index)
            case .after:
                frame.append(bytes.extracting(index..<bytes.count))
                index = bytes.count
            }
            if frame.count > LetterCheck.frameLimit { return false }
        }
        return true
    }

    private mutating func note(_ byte: UInt8) {
        let opening = LetterCheck.opening
        if byte == opening.utf8Start[matched] {
            matched += 1
            if matched == opening.utf8CodeUnitCount { place = .inside }
        } else if byte != 0x20 || matched != 7 {
            // JSON allows a blank behind the colon.
            matched = byte == opening.utf8Start[0] ? 1 : 0
        }
    }

    /// Walks over letters up to the closing quote, which is left to be read as part of the frame.
    private mutating func letters(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                place = .after
                break
            }
            if byte != expected { isSpoilt = true }
            expected = expected == 122 ? 97 : expected &+ 1
            index &+= 1
        }
        count &+= UInt64(index &- start)
        return index
    }
}
