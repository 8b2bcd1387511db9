import ASCII
import FoundationEssentials
import Glibc
import Kernel

/// The file of the keys that sign session ids: base64, one key a line, newest first. Every Berth of a fleet has the
/// same; a key stays in it, further down, for as long as sessions signed with it may live.
///
/// The first key signs once the file has been as it is for `settlingSeconds`; until then the second one does. So a new key
/// on top opens everywhere before it signs anywhere, if the file reaches all Berths within that time. A running Berth
/// watches the file.
package enum KeyFile {
    /// How long a file with a new key on top has to reach every Berth of a fleet: two minutes. Kubernetes takes up to one.
    package static var settlingSeconds: Int64 { 120 }

    private static let what = "key file"

    /// Reads the keys, in the order of the file. If the file does not exist, it is made first (mode 0600), with one fresh
    /// key.
    package static func load(_ path: String) throws(StartError) -> [SigningKey] {
        try contents(path).keys
    }

    /// The same, in the order in which they are to be used at `time` (seconds since 1970): the first signs, all verify.
    package static func load(_ path: String, at time: Int64) throws(StartError) -> [SigningKey] {
        let (keys, modifiedAt) = try contents(path)
        return inOrder(keys, age: time - modifiedAt)
    }

    /// The same of a file that exists; nil if there is none, and none is made.
    package static func loadExisting(_ path: String, at time: Int64) throws(StartError) -> [SigningKey]? {
        guard let contents = try SecretFile.read(path, what) else { return nil }
        return inOrder(try parse(contents.bytes, path), age: time - contents.modifiedAt)
    }

    /// Why the keys of an existing file cannot be used; nil if they can, or if there is no such file. Makes nothing.
    package static func problem(with path: String) -> String? {
        do throws(StartError) {
            if let contents = try SecretFile.read(path, what) { _ = try parse(contents.bytes, path) }
            return nil
        } catch {
            return error.description
        }
    }

    /// Whether there is such a file, readable or not.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno != ENOENT }

    /// The keys of a file, of that age in seconds, in the order of their use. A file from the future is a fresh one.
    static func inOrder(_ keys: [SigningKey], age: Int64) -> [SigningKey] {
        guard keys.count > 1, age < settlingSeconds else { return keys }
        return [keys[1], keys[0]] + keys[2...]
    }

    private static func contents(_ path: String) throws(StartError) -> (keys: [SigningKey], modifiedAt: Int64) {
        if let contents = try SecretFile.read(path, what) {
            return (try parse(contents.bytes, path), contents.modifiedAt)
        }
        let key = Data(Machine.randomBytes(SigningKey.bytes)).base64EncodedString()
        try SecretFile.create(path, "\(key)\n", what)
        guard let contents = try SecretFile.read(path, what) else {
            throw StartError("cannot read the key file \(path): it is gone again")
        }
        return (try parse(contents.bytes, path), contents.modifiedAt)
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws(StartError) -> [SigningKey] {
        var keys: [SigningKey] = []
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() where !line.hasPrefix("#") {
            let text = line.trimmed
            guard !text.isEmpty else { continue }
            guard let key = Data(base64Encoded: text), key.count >= SigningKey.bytes else {
                throw StartError("\(path):\(number + 1): expected a base64 key of at least 32 bytes")
            }
            keys.append(SigningKey([UInt8](key)))
        }
        guard !keys.isEmpty else { throw StartError("\(path) holds no key; remove it and a new one is made") }
        return keys
    }

    /// Where the keys are kept unless the configuration says otherwise: the system's state folder, or the user's.
    package static var defaultPath: String {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["STATE_DIRECTORY"] { return folder + "/session.keys" }
        if geteuid() == 0 { return "/var/lib/berth/session.keys" }
        if let folder = environment["XDG_STATE_HOME"], !folder.isEmpty { return folder + "/berth/session.keys" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/berth/session.keys"
    }
}
