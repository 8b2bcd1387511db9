/// Bytes of log lines, as they are built. Its memory is kept when it is emptied.
package struct LogLine: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Appends the text as it stands between the quotes of a JSON string.
    package mutating func appendEscaped(_ text: String) {
        for byte in text.utf8 { bytes.append(byte) }
    }
}
