import ArgumentParser
import Configuration
import FoundationEssentials
import Kernel
import Proxy
import TLS

/// Reads and checks a configuration file for a command.
enum CheckedFile {
    /// The exit code for a file with errors, as the help of `berth check` documents it.
    static let errorCode = ExitCode(2)

    /// The file's configuration. Prints all warnings and errors to standard error. Throws `errorCode` if there are
    /// errors. With `resolvesNames` servers whose names do not resolve are warned of, which may take five seconds.
    static func load(_ path: String, resolvesNames: Bool = false) throws -> ConfigurationFile {
        switch read(path, resolvesNames: resolvesNames) {
        case .success(let file):
            for warning in file.warnings { StandardStream.error.say("\(warning)") }
            return file
        case .failure(let errors):
            StandardStream.error.say("\(errors)")
            throw errorCode
        }
    }

    /// The same, printing nothing.
    static func read(_ path: String, resolvesNames: Bool = false) -> Result<ConfigurationFile, ConfigurationErrors> {
        let checks = ConfigurationChecks(
            files: true, environment: { ProcessInfo.processInfo.environment[$0] },
            certificateProblems: { certificateProblems($0) },
            stapleProblem: { stapleProblem($0) },
            cipherProblem: { cipherProblem($0) },
            authoritiesProblem: { ClientAuthentication.problem(withAuthorities: $0)?.description },
            keyFileProblem: { KeyFile.problem(with: $0) },
            tokenFileProblem: { AdminToken.problem(with: $0) },
            unresolvedHosts: { resolvesNames ? unresolved($0) : [] })
        return ConfigurationFile.load(path: path, checks: checks)
    }

    private static func unresolved(_ hosts: [String]) -> Set<String> {
        let found = NameLookup.system.resolve(Set(hosts), within: .seconds(5))
        return Set(hosts.filter { found[$0] == nil })
    }

    private static func cipherProblem(_ ciphers: String) -> String? {
        var options = TLSOptions()
        options.ciphers = ciphers
        do throws(TLSError) {
            _ = try TLSClientContext(trust: .anyone, options: options)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func stapleProblem(_ files: CertificateFiles) -> ConfigurationProblem? {
        let identity = TLSIdentity(
            certificate: .file(files.certificate), key: .file(files.key), staple: files.ocsp.map { .file($0) })
        do throws(TLSError) {
            let staple = try StapledResponse.inspect(identity)
            return staple?.problem(at: Int64(Date().timeIntervalSince1970)).map { .warning($0.reason) }
        } catch {
            return .error("\(error)")
        }
    }

    /// The problems of certificates by index: each is checked by itself, then together with the valid ones before it.
    private static func certificateProblems(_ certificates: [CertificateFiles]) -> [Int: String] {
        let now = Int64(Date().timeIntervalSince1970)
        var problems: [Int: String] = [:]
        var good: [TLSIdentity] = []
        for (index, files) in certificates.enumerated() {
            let identity = TLSIdentity(certificate: .file(files.certificate), key: .file(files.key))
            do throws(TLSError) {
                let facts = try CertificateFacts.inspect(certificateFile: files.certificate, keyFile: files.key)
                if let problem = facts.problem(at: now) { throw problem }
                _ = try TLSContext(good + [identity], options: TLSOptions())
                good.append(identity)
            } catch {
                problems[index] = "\(error)"
            }
        }
        return problems
    }
}
