/// The labels of a sample, as they stand between its braces: escaped, in UTF-8.
package struct LabelText: Sendable, Hashable {
    /// `name="value",name="value"`.
    private(set) var bytes: [UInt8] = []

    package init() {}

    /// All bytes at once: an array gives the hasher one at a time.
    package func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// Labels with these names and values. One whose value is empty is left out, which means the same.
    package init(_ names: [String], _ values: [String]) {
        bytes.reserveCapacity(192)
        for (name, value) in zip(names, values) { append(name, value) }
    }

    /// The same labels and another one.
    package func adding(_ name: String, _ value: String) -> LabelText {
        var labels = self
        labels.append(name, value)
        return labels
    }

    private mutating func append(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes += name.utf8
        bytes += "=\"".utf8
        let start = bytes.count
        bytes += value.utf8
        if bytes[start...].contains(where: Self.isSpecial) {
            bytes.removeSubrange(start...)
            for byte in value.utf8 { appendEscaped(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\n"): bytes += "\\n".utf8
        default: bytes.append(byte)
        }
    }
}
