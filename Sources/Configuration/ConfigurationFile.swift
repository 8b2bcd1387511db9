/// A configuration file that was read and found good.
package struct ConfigurationFile: Sendable {
    /// The path it was read from, as the operator named it.
    package let path: String
    package let configuration: Configuration

    /// Reads and checks the file at `path`. The failure names every error in it, not the first alone.
    package static func load(
        path: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        .failure(ConfigurationErrors(errors: [], source: ""))
    }

    /// Checks `text` as though it stood in `file`.
    package static func parse(
        _ text: String, file: String, checks: ConfigurationChecks
    ) -> Result<ConfigurationFile, ConfigurationErrors> {
        .failure(ConfigurationErrors(errors: [], source: ""))
    }
}
