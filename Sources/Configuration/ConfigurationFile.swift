/// A valid configuration file.
package struct ConfigurationFile: Sendable {
    /// The path it was read from, as given on the command line.
    package let path: String
    /// Its contents.
    package let text: String
    /// The decoded values, defaults included.
    package let configuration: Configuration
    /// The lines of the values that the file sets, by path.
    let origins: [String: Origin]
    /// The path of the `[listen]` table of each listener.
    let listenerTables: [String]
    /// Every key that decoding knows, with "*" for names and indices.
    package let knownKeys: Set<String>
    /// Warnings, rendered as errors are.
    package let warnings: [String]

    /// Reads and checks the file at `path`. The failure has all errors of the file; a single one without a position if
    /// the file cannot be read.
    package static func load(
        path: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        switch TOMLFile.text(path: path) {
        case .success(let text): parse(text, file: path, checks: checks)
        case .failure(let errors): .failure(errors)
        }
    }

    /// Checks `text` as the contents of `file`.
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
                path: file, text: text, configuration: configuration, origins: findings?.origins ?? [:],
                listenerTables: listenerTables, knownKeys: findings?.knownKeys ?? [],
                warnings: findings.map { found in found.warnings.map { $0.rendered(in: found.source) } } ?? [])
        }
    }

    /// `[global]` of the file at `path`, whatever errors the rest has: for commands that ask the process that runs with an
    /// earlier version of the file. Of a file that is no TOML, what stands before the error is read. Nil if that has no
    /// `[global]`, or it cannot be read.
    package static func global(
        path: String, environment: @escaping @Sendable (_ name: String) -> String?
    ) -> GlobalConfiguration? {
        guard case .success(var text) = TOMLFile.text(path: path) else { return nil }
        let checks = ConfigurationChecks(files: false, environment: environment)
        // A line less each time: a value of several lines has no end if it is cut.
        for _ in 0..<100 {
            var global: GlobalConfiguration?
            let result = TOMLFile.decode(text, file: path, checks: checks) { root in
                var root = root
                if root.entry("global") != nil { global = GlobalConfiguration(from: root.table("global")) }
            }
            guard global == nil, case .failure(let errors) = result, let line = errors.errors.first?.line, line > 1
            else { return global }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            text = lines.prefix(min(line - 1, lines.count - 1)).joined(separator: "\n")
        }
        return nil
    }
}
