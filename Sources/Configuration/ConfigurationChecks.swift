/// What decoding may ask the machine it runs on.
package struct ConfigurationChecks: Sendable {
    /// Whether files that the configuration names must be there and readable.
    package var files: Bool
    /// A variable of the environment, for `${NAME}` in secrets.
    package var environment: @Sendable (_ name: String) -> String?
    /// Why a certificate and its key cannot be used together, in one sentence, or nil where they can; asked only when
    /// `files` is on and both can be read.
    package var certificateProblem: @Sendable (_ certificate: String, _ key: String) -> String?

    package init(
        files: Bool, environment: @escaping @Sendable (_ name: String) -> String?,
        certificateProblem: @escaping @Sendable (_ certificate: String, _ key: String) -> String? = { _, _ in nil }
    ) {
        self.files = files
        self.environment = environment
        self.certificateProblem = certificateProblem
    }
}
