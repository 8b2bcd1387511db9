/// What decoding may ask the machine it runs on.
package struct ConfigurationChecks: Sendable {
    /// Whether files that the configuration names must be there and readable.
    package var files: Bool
    /// A variable of the environment, for `${NAME}` in secrets.
    package var environment: @Sendable (_ name: String) -> String?
    /// Which certificates of a listener cannot be served and why, in one sentence each; asked only when `files` is on
    /// and all of them can be read.
    package var certificateProblems: @Sendable (_ certificates: [CertificateFiles]) -> [Int: String]
    /// What is wrong with the OCSP response of a pair that can be served; asked only when `files` is on and the response
    /// can be read.
    package var stapleProblem: @Sendable (_ files: CertificateFiles) -> ConfigurationProblem?
    /// Why a list of ciphers in OpenSSL's words cannot be used, or nil where it can.
    package var cipherProblem: @Sendable (_ ciphers: String) -> String?
    /// Why the certificates of authorities in a file that can be read cannot be used, or nil where they can.
    package var authoritiesProblem: @Sendable (_ path: String) -> String?

    package init(
        files: Bool, environment: @escaping @Sendable (_ name: String) -> String?,
        certificateProblems: @escaping @Sendable (_ certificates: [CertificateFiles]) -> [Int: String] = { _ in [:] },
        stapleProblem: @escaping @Sendable (_ files: CertificateFiles) -> ConfigurationProblem? = { _ in nil },
        cipherProblem: @escaping @Sendable (_ ciphers: String) -> String? = { _ in nil },
        authoritiesProblem: @escaping @Sendable (_ path: String) -> String? = { _ in nil }
    ) {
        self.files = files
        self.environment = environment
        self.authoritiesProblem = authoritiesProblem
        self.cipherProblem = cipherProblem
        self.certificateProblems = certificateProblems
        self.stapleProblem = stapleProblem
    }
}

/// What somebody who knows a file's contents has against it, in one sentence.
package enum ConfigurationProblem: Sendable, Equatable {
    /// It cannot be used.
    case error(String)
    /// It can, but not for all that it is there for.
    case warning(String)
}
