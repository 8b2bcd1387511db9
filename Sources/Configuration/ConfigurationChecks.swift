/// Checks that need the machine: its files, its environment, its TLS library. Tests replace them.
package struct ConfigurationChecks: Sendable {
    /// Whether files that the configuration names must exist and be readable.
    package var files: Bool
    /// Returns a variable of the environment, for `${NAME}` in secrets; nil if it is not set.
    package var environment: @Sendable (_ name: String) -> String?
    /// Returns the indices of a listener's certificates that cannot be served, with the reason in a sentence. Called
    /// only if `files` is true and all of them are readable.
    package var certificateProblems: @Sendable (_ certificates: [CertificateFiles]) -> [Int: String]
    /// Returns the problem with the OCSP response of a valid certificate; nil if there is none. Called only if `files`
    /// is true and the response is readable.
    package var stapleProblem: @Sendable (_ files: CertificateFiles) -> ConfigurationProblem?
    /// Returns why a cipher list in OpenSSL's syntax cannot be used; nil if it can.
    package var cipherProblem: @Sendable (_ ciphers: String) -> String?
    /// Returns why the certificate authorities in a readable file cannot be used; nil if they can.
    package var authoritiesProblem: @Sendable (_ path: String) -> String?
    /// Returns why the keys in an existing, readable file cannot be used; nil if they can. Called only if `files` is true.
    package var keyFileProblem: @Sendable (_ path: String) -> String?
    /// Returns why the token in an existing, readable file cannot be used; nil if it can. Called only if `files` is true.
    package var tokenFileProblem: @Sendable (_ path: String) -> String?
    /// Returns those of the servers' host names that do not resolve. Called once for all of them.
    package var unresolvedHosts: @Sendable (_ hosts: [String]) -> Set<String>

    package init(
        files: Bool, environment: @escaping @Sendable (_ name: String) -> String?,
        certificateProblems: @escaping @Sendable (_ certificates: [CertificateFiles]) -> [Int: String] = { _ in [:] },
        stapleProblem: @escaping @Sendable (_ files: CertificateFiles) -> ConfigurationProblem? = { _ in nil },
        cipherProblem: @escaping @Sendable (_ ciphers: String) -> String? = { _ in nil },
        authoritiesProblem: @escaping @Sendable (_ path: String) -> String? = { _ in nil },
        keyFileProblem: @escaping @Sendable (_ path: String) -> String? = { _ in nil },
        tokenFileProblem: @escaping @Sendable (_ path: String) -> String? = { _ in nil },
        unresolvedHosts: @escaping @Sendable (_ hosts: [String]) -> Set<String> = { _ in [] }
    ) {
        self.files = files
        self.environment = environment
        self.authoritiesProblem = authoritiesProblem
        self.cipherProblem = cipherProblem
        self.certificateProblems = certificateProblems
        self.stapleProblem = stapleProblem
        self.keyFileProblem = keyFileProblem
        self.tokenFileProblem = tokenFileProblem
        self.unresolvedHosts = unresolvedHosts
    }
}

/// A problem with the contents of a file, in one sentence.
package enum ConfigurationProblem: Sendable, Equatable {
    /// The file cannot be used.
    case error(String)
    /// The file can be used, but not for its whole purpose.
    case warning(String)
}
