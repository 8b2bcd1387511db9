import ArgumentParser
import Configuration
import Foundation
import TLS

/// Reading a configuration file on behalf of a command.
enum CheckedFile {
    /// The exit code of a file with errors in it, as `berth check` documents it.
    static let errorCode = ExitCode(2)

    /// The file's configuration; prints every error and ends the command if it has any.
    static func load(_ path: String) throws -> ConfigurationFile {
        let checks = ConfigurationChecks(
            files: true, environment: { ProcessInfo.processInfo.environment[$0] },
            certificateProblem: { certificateProblem($0, $1) })
        switch ConfigurationFile.load(path: path, checks: checks) {
        case .success(let file):
            return file
        case .failure(let errors):
            FileHandle.standardError.write(Data("\(errors)\n".utf8))
            throw errorCode
        }
    }

    private static func certificateProblem(_ certificate: String, _ key: String) -> String? {
        do throws(TLSError) {
            let facts = try CertificateFacts.inspect(certificateFile: certificate, keyFile: key)
            return facts.problem(at: Int64(Date().timeIntervalSince1970)).map { "\($0)" }
        } catch {
            return "\(error)"
        }
    }
}
