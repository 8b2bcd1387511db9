extension Span<UInt8> {
    /// True if these bytes are exactly `text`.
    func equals(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard self.count == count else { return false }
        for index in 0..<count where self[index] != text.utf8Start[index] { return false }
        return true
    }

    /// True if the bytes of both are the same.
    func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }

    /// True if `text`, which is in lower case, stands at `offset` in any case.
    func matches(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        guard offset >= 0, length <= count - offset else { return false }
        for index in 0..<length {
            let byte = self[offset + index]
            let lower = byte &- 65 < 26 ? byte | 0x20 : byte
            if lower != text.utf8Start[index] { return false }
        }
        return true
    }

    /// True if a comma-separated list of media types (RFC 9110 §12.5.1) names `type`, with or without parameters.
    func listsMediaType(_ type: StaticString) -> Bool {
        var start = 0
        while start < count {
            while start < count, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
            if matches(type, at: start) {
                let end = start + type.utf8CodeUnitCount
                if end == count { return true }
                if self[end] == UInt8(ascii: ",") || self[end] == UInt8(ascii: ";") || self[end] == 0x20 { return true }
            }
            while start < count, self[start] != UInt8(ascii: ",") { start += 1 }
            start += 1
        }
        return false
    }

    /// The bytes as a number in decimal digits; nil if they are anything else, or too large.
    var decimal: UInt64? {
        guard count > 0, count < 20 else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            let digit = self[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    /// A copy for what outlives the request.
    var copied: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for index in 0..<count { buffer.initializeElement(at: index, to: self[index]) }
            initialized = count
        }
    }
}

/// The value of one hexadecimal digit, either case.
func hexadecimalDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 48...57: UInt64(byte - 48)
    case 97...102: UInt64(byte - 87)
    case 65...70: UInt64(byte - 55)
    default: nil
    }
}
