import Glibc

/// A configuration file that was read and found good.
package struct ConfigurationFile: Sendable {
    /// The path it was read from, as the operator named it.
    package let path: String
    package let configuration: Configuration
    /// Where the values of the file stand, by path.
    let origins: [String: Origin]
    /// The `[listen]` table each listener came from.
    let listenerTables: [String]
    /// Every key that decoding asked for.
    package let knownKeys: Set<String>
    /// What is doubtful in it, each as the operator reads it.
    package let warnings: [String]

    /// More than any configuration needs, little enough to be read whole.
    private static let largest = 1 << 20

    /// Reads and checks the file at `path`. The failure names every error in it, not the first alone; it has one
    /// error without a place if the file cannot be read.
    package static func load(
        path: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        if let problem = FilePath.problem(reading: path) {
            return unreadable(path, "cannot be read", problem)
        }
        guard let stream = fopen(path, "re") else {
            return unreadable(path, "cannot be read", String(cString: strerror(errno)))
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: largest + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        guard count <= largest else {
            return unreadable(path, "too large", "a configuration has at most \(ByteSizeText.text(largest))")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            return unreadable(path, "not UTF-8", "TOML 1.0 is written in UTF-8")
        }
        return parse(text, file: path, checks: checks)
    }

    /// Checks `text` as though it stood in `file`.
    package static func parse(
        _ text: String, file: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        let source = SourceText(text, file: file)
        let findings = Findings(source, checks: checks)
        do {
            var decoding = ConfigurationDecoding(try TOMLDocument(source), findings: findings)
            let configuration = decoding.run()
            if findings.errors.isEmpty {
                return .success(
                    ConfigurationFile(
                        path: file, configuration: configuration, origins: findings.origins,
                        listenerTables: decoding.listeners.map(\.table), knownKeys: findings.knownKeys,
                        warnings: findings.warnings.map { $0.rendered(in: source) }))
            }
        } catch {
            findings.report(error.range, error.message, because: error.reason, help: error.help)
        }
        return .failure(ConfigurationErrors(errors: findings.errors, source: text))
    }

    private static func unreadable(
        _ path: String, _ message: String, _ reason: String
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        let error = ConfigurationError(file: path, line: 0, column: 0, length: 0, message: message, reason: reason)
        return .failure(ConfigurationErrors(errors: [error], source: ""))
    }
}
