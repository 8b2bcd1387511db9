/// Comparisons of bytes with names that the protocol fixes.
enum ASCII {
    /// Whether the bytes are exactly this text.
    static func equal(_ bytes: Span<UInt8>, _ text: String) -> Bool {
        guard bytes.count == text.utf8.count else { return false }
        var index = 0
        for byte in text.utf8 {
            if bytes[index] != byte { return false }
            index &+= 1
        }
        return true
    }

    /// Whether the bytes begin with this text.
    static func hasPrefix(_ bytes: Span<UInt8>, _ text: String) -> Bool {
        let count = text.utf8.count
        return bytes.count >= count && equal(bytes.extracting(0..<count), text)
    }
}
