import Foundation
import Glibc
import Kernel

/// The file of the keys that seal session ids: base64, one key a line, newest first. Every Berth of a fleet has the
/// same; a key stays in it, further down, for as long as sessions sealed with it may live.
package enum KeyFile {
    /// Reads the keys, or makes the file (mode 0600) with one fresh key if it is not there.
    package static func load(_ path: String) throws(StartError) -> [SigningKey] {
        guard let data = FileManager.default.contents(atPath: path) else { return [try create(path)] }
        var keys: [SigningKey] = []
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() where !line.hasPrefix("#") {
            let text = line.trimmingCharacters(in: .whitespaces)
            guard let key = Data(base64Encoded: text), key.count >= SigningKey.bytes else {
                throw StartError("\(path):\(number + 1): expected a base64 key of at least 32 bytes")
            }
            keys.append(SigningKey([UInt8](key)))
        }
        guard !keys.isEmpty else { throw StartError("\(path) holds no key; remove it and a new one is made") }
        return keys
    }

    private static func create(_ path: String) throws(StartError) -> SigningKey {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let key = Machine.randomBytes(SigningKey.bytes)
        let text = Array("\(Data(key).base64EncodedString())\n".utf8)
        // O_EXCL: two Berths that start together must not each keep a key of their own.
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StartError("cannot make the key file \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard write(descriptor, text, text.count) == text.count, fsync(descriptor) == 0 else {
            throw StartError("cannot write the key file \(path): \(String(cString: strerror(errno)))")
        }
        return SigningKey(key)
    }

    /// Where the keys are kept if nobody says otherwise: the system's state folder, or the user's.
    package static var defaultPath: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["STATE_DIRECTORY"] { return folder + "/session.keys" }
        if geteuid() == 0 { return "/var/lib/berth/session.keys" }
        if let folder = environment["XDG_STATE_HOME"], !folder.isEmpty { return folder + "/berth/session.keys" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/berth/session.keys"
    }
}
