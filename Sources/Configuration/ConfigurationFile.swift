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

    /// Reads and checks the file at `path`. The failure names every error in it, not the first alone; it has one
    /// error without a place if the file cannot be read.
    package static func load(
        path: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        switch TOMLFile.text(path: path) {
        case .success(let text): parse(text, file: path, checks: checks)
        case .failure(let errors): .failure(errors)
        }
    }

    /// Checks `text` as though it stood in `file`.
    package static func parse(
        _ text: String, file: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        var findings: Findings?
        var listenerTables: [String] = []
        let decoded = TOMLFile.decode(text, file: file, checks: checks) { root in
            findings = root.findings
            var decoding = ConfigurationDecoding(root)
            let configuration = decoding.run()
            listenerTables = decoding.listeners.map(\.table)
            return configuration
        }
        return decoded.map { configuration in
            ConfigurationFile(
                path: file, configuration: configuration, origins: findings?.origins ?? [:],
                listenerTables: listenerTables, knownKeys: findings?.knownKeys ?? [])
        }
    }
}
