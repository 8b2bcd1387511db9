import Configuration
import Import

/// Configurations, our own and those of others.
enum ConfigurationCheck {
    private static let checks = ConfigurationChecks(files: false, environment: { _ in nil })

    /// A file is read, or has an error with a place in it.
    static func file(_ bytes: [UInt8]) throws(Finding) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard case .failure(let failure) = ConfigurationFile.parse(text, file: "f", checks: checks) else { return }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).count
        try require(!failure.errors.isEmpty && !failure.description.isEmpty, "a failure without errors")
        for error in failure.errors {
            try require((1...lines).contains(error.line) && error.column >= 1, "an error without a place: \(error)")
        }
    }

    static func nginx(_ bytes: [UInt8]) throws(Finding) { try source(bytes, .nginx, "nginx.conf") }
    static func haproxy(_ bytes: [UInt8]) throws(Finding) { try source(bytes, .haproxy, "haproxy.cfg") }

    /// A source is refused with a place, or becomes a file that is valid.
    private static func source(
        _ bytes: [UInt8], _ format: ConfigurationImport.Format, _ name: String
    ) throws(Finding) {
        let found: ConfigurationImport
        do {
            found = try ConfigurationImport(bytes, file: name, format: format, files: .none)
        } catch {
            try require(!error.errors.isEmpty && !error.description.isEmpty, "a failure without errors")
            for error in error.errors {
                try require(error.line >= 0 && error.column >= 0 && !error.message.isEmpty, "no place: \(error)")
            }
            return
        }
        if case .failure(let errors) = ConfigurationFile.parse(found.text, file: "berth.toml", checks: checks) {
            throw Finding(message: "became an invalid file: \(errors)\n\(found.text)")
        }
    }
}
