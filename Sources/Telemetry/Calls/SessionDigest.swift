/// The 16 hexadecimal digits that stand for a session in logs, on admin pages and in orders. No id can be made of them.
package enum SessionDigest {
    /// The digits of `CallEvent.session`.
    package static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The number of a digest, in upper or lower case; nil if it is none.
    package static func number(_ text: String) -> UInt64? {
        guard text.utf8.count == 16, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            return nil
        }
        return UInt64(text, radix: 16)
    }
}
