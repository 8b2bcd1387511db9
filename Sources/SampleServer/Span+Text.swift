import ASCII

extension Span<UInt8> {
    /// True if a comma-separated list of media types (RFC 9110 §12.5.1) names `type`, with or without parameters.
    func listsMediaType(_ type: StaticString) -> Bool {
        var start = 0
        while start < count {
            while start < count, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
            if hasIgnoringCase(type, at: start) {
                let end = start + type.utf8CodeUnitCount
                if end == count { return true }
                if self[end] == UInt8(ascii: ",") || self[end] == UInt8(ascii: ";") || self[end] == 0x20 { return true }
            }
            while start < count, self[start] != UInt8(ascii: ",") { start += 1 }
            start += 1
        }
        return false
    }
}
