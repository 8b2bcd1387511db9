import Configuration

/// Makes errors about a source with their place, as those of configuration files.
struct SourceError {
    let file: String
    let bytes: [UInt8]

    /// An error at a byte of the file. `length`: the bytes that it is about.
    func at(
        _ offset: Int, length: Int = 1, _ message: String, because reason: String, help: String? = nil
    ) -> ConfigurationErrors {
        let offset = min(max(0, offset), bytes.count)
        var (line, start) = (1, 0)
        for index in 0..<offset where bytes[index] == UInt8(ascii: "\n") { (line, start) = (line + 1, index + 1) }
        let column = Self.scalars(bytes[start..<offset]) + 1
        var end = offset
        while end < bytes.count, end < offset + length, bytes[end] != UInt8(ascii: "\n") { end += 1 }
        let shown = max(1, Self.scalars(bytes[offset..<end]))
        let error = ConfigurationError(
            file: file, line: line, column: column, length: shown, message: message, reason: reason, help: help)
        return ConfigurationErrors(errors: [error], source: String(decoding: bytes, as: UTF8.self))
    }

    /// Throws if a byte is zero: this is no text.
    func rejectNUL() throws(ConfigurationErrors) {
        guard let offset = bytes.firstIndex(of: 0) else { return }
        throw at(
            offset, "a NUL character in text", because: "a configuration is text, and this may be another kind of file")
    }

    /// An error about the whole file.
    func whole(_ message: String, because reason: String, help: String? = nil) -> ConfigurationErrors {
        let error = ConfigurationError(
            file: file, line: 0, column: 0, length: 0, message: message, reason: reason, help: help)
        return ConfigurationErrors(errors: [error], source: "")
    }

    private static func scalars(_ bytes: ArraySlice<UInt8>) -> Int {
        // Of what is no UTF-8 each byte is shown as one character.
        String(decoding: bytes, as: UTF8.self).unicodeScalars.count
    }
}
