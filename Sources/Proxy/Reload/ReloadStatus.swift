package import Configuration
import Kernel
import TLS

/// The configuration in force, and what has become of reloads since the start.
package struct ReloadStatus: Sendable {
    /// In force.
    package internal(set) var file: ConfigurationFile {
        didSet { hash = ReloadStatus.hash(of: file) }
    }
    /// Names what the configuration means: equal for files that say the same, whatever their comments and order of keys. 32
    /// hexadecimal digits.
    package private(set) var hash: String
    /// When it came into force, in seconds since 1970.
    package internal(set) var loadedAt: UInt32
    /// Reloads that changed something.
    package internal(set) var applied = 0
    /// Reloads of a file that said what it had said before.
    package internal(set) var unchanged = 0
    /// Reloads that changed nothing because something was wrong.
    package internal(set) var rejected = 0
    /// Why the last reload was rejected; nil if it was not.
    package internal(set) var lastError: String?

    init(_ file: ConfigurationFile) {
        self.file = file
        hash = ReloadStatus.hash(of: file)
        loadedAt = WallClock.seconds()
    }

    private static func hash(of file: ConfigurationFile) -> String {
        let text = Array(file.plainText().utf8)
        let tag = MessageAuthenticator(key: Array("configuration".utf8)).tag(text.span, [UInt8]().span)
        return [tag.0, tag.1].map { half in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
