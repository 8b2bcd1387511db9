/// Texts without the space around them.
extension StringProtocol {
    /// The text without spaces, tabs and line ends before its first and after its last other character.
    package var trimmed: String {
        let bytes = Array(utf8)
        let start = bytes.firstIndex { !$0.isBlankOrLineEnd } ?? 0
        let end = bytes.lastIndex { !$0.isBlankOrLineEnd }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isBlankOrLineEnd: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
