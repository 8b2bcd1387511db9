import Foundation
import Glibc
import Kernel

/// The file of the keys that sign session ids: base64, one key a line, newest first. Every Berth of a fleet has the
/// same; a key stays in it, further down, for as long as sessions signed with it may live.
package enum KeyFile {
    /// The largest file that is read, in bytes.
    private static let maximumBytes = 1 << 20

    /// Reads the keys. If the file does not exist, it is made first (mode 0600), with one fresh key.
    package static func load(_ path: String) throws(StartError) -> [SigningKey] {
        if let bytes = try read(path) { return try parse(bytes, path) }
        try create(path)
        guard let bytes = try read(path) else { throw failure("read", path, ENOENT) }
        return try parse(bytes, path)
    }

    /// Why the keys of an existing file cannot be used; nil if they can, or if there is no such file. Makes nothing.
    package static func problem(with path: String) -> String? {
        do throws(StartError) {
            if let bytes = try read(path) { _ = try parse(bytes, path) }
            return nil
        } catch {
            return error.description
        }
    }

    private static func parse(_ bytes: [UInt8], _ path: String) throws(StartError) -> [SigningKey] {
        var keys: [SigningKey] = []
        let lines = String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, line) in lines.enumerated() where !line.hasPrefix("#") {
            let text = line.trimmingCharacters(in: .whitespaces)
            guard !text.isEmpty else { continue }
            guard let key = Data(base64Encoded: text), key.count >= SigningKey.bytes else {
                throw StartError("\(path):\(number + 1): expected a base64 key of at least 32 bytes")
            }
            keys.append(SigningKey([UInt8](key)))
        }
        guard !keys.isEmpty else { throw StartError("\(path) holds no key; remove it and a new one is made") }
        return keys
    }

    /// The file's bytes; nil if there is no such file.
    private static func read(_ path: String) throws(StartError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("read", path, errno) }
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while bytes.count <= maximumBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure("read", path, errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        throw failure("read", path, EFBIG)
    }

    /// Makes the file with one fresh key, unless another process is faster. The file gets its name when it is complete:
    /// processes that start together all read the same key, and a crash leaves no file without one.
    private static func create(_ path: String) throws(StartError) {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let key = "\(Data(Machine.randomBytes(SigningKey.bytes)).base64EncodedString())\n"
        let temporary = "\(path).\(UInt64.random(in: 0 ... .max))"
        guard try write(key, to: temporary, for: path) else { throw failure("make", path, EEXIST) }
        let hasName = link(temporary, path) == 0 || errno == EEXIST
        unlink(temporary)
        // On a file system without hard links it gets its name first.
        if !hasName { _ = try write(key, to: path, for: path) }
    }

    /// Makes a file with this text, for its owner only (mode 0600). False if there is one.
    private static func write(_ text: String, to file: String, for path: String) throws(StartError) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            guard errno == EEXIST else { throw failure("make", path, errno) }
            return false
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let code = errno
            unlink(file)
            throw failure("write", path, code)
        }
        return true
    }

    private static func failure(_ action: String, _ path: String, _ code: CInt) -> StartError {
        StartError("cannot \(action) the key file \(path): \(String(cString: strerror(code)))")
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
