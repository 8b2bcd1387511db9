import Glibc

/// Reads TOML files, with the position of every error. The caller decodes the keys.
package enum TOMLFile {
    /// The largest file that is read.
    private static let maxBytes = 1 << 20

    /// The contents of the file at `path`: UTF-8, at most 1 MiB. The failure is one error without a position.
    package static func text(path: String) -> Result<String, ConfigurationErrors> {
        if let problem = FilePath.problem(reading: path) {
            return unreadable(path, "cannot be read", problem)
        }
        guard let stream = fopen(path, "re") else {
            return unreadable(path, "cannot be read", String(cString: strerror(errno)))
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: maxBytes + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard count <= maxBytes else {
            return unreadable(path, "too large", "a configuration has at most \(ByteSizeText.text(maxBytes))")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            return unreadable(path, "not UTF-8", "TOML 1.0 is written in UTF-8")
        }
        return .success(text)
    }

    /// Parses `text` and decodes its root table with `body`. The failure has all errors that the parser or `body`
    /// reported. `file`: the file's name in errors.
    package static func decode<Value>(
        _ text: String, file: String, checks: ConfigurationChecks, _ body: (TableReader) -> Value
    ) -> Result<Value, ConfigurationErrors> {
        let source = SourceText(text, file: file)
        let findings = Findings(source, checks: checks)
        do {
            let document = try TOMLDocument(source)
            let value = body(TableReader(document.root, at: nil, path: .root, findings: findings))
            findings.finish()
            if findings.errors.isEmpty { return .success(value) }
        } catch {
            findings.report(error.range, error.message, because: error.reason, help: error.help)
        }
        return .failure(ConfigurationErrors(errors: findings.errors, source: text))
    }

    private static func unreadable(
        _ path: String, _ message: String, _ reason: String
    ) -> Result<String, ConfigurationErrors> {
        let error = ConfigurationError(file: path, line: 0, column: 0, length: 0, message: message, reason: reason)
        return .failure(ConfigurationErrors(errors: [error], source: ""))
    }
}
