import Glibc

/// A file that is read as a whole.
package enum SmallFile {
    /// The bytes of a file. Throws EFBIG for more than `limit` of them, EISDIR for a folder, and what open(2) and read(2) fail with.
    /// May block, as a file system may; no worker may call it.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        // Without O_NONBLOCK a pipe that nobody writes to would block for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last("open") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        var count = 0
        while count <= limit {
            if count == bytes.count { bytes += [UInt8](repeating: 0, count: bytes.count) }
            let read = bytes.withUnsafeMutableBytes { space in
                Glibc.read(descriptor, space.baseAddress.map { $0 + count }, space.count - count)
            }
            if read == 0 { return Array(bytes[..<count]) }
            guard read > 0 else {
                if errno == EINTR { continue }
                throw .last("read")
            }
            count += read
        }
        throw SystemError("read", code: EFBIG)
    }

    /// The bytes of a regular file with this name, which must not be a path, in a folder. Neither the file nor a folder below
    /// the first is reached by a symbolic link. Throws EFBIG for more than `limit` bytes, ENOENT for anything that is no regular
    /// file, and what open(2) and read(2) fail with. For a file on a local disk it takes a few microseconds.
    package static func read(
        _ name: String, in folder: String, below folders: [String] = [], limit: Int
    ) throws(SystemError) -> [UInt8] {
        var directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .last("open") }
        defer { close(directory) }
        for next in folders {
            let inner = openat(directory, next, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
            guard inner >= 0 else { throw .last("open") }
            close(directory)
            directory = inner
        }
        guard !name.contains("/"), name != ".", name != ".." else { throw SystemError("open", code: ENOENT) }
        // Without O_NONBLOCK a pipe that nobody writes to would block for ever.
        let file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard file >= 0 else { throw .last("open") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .last("fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw SystemError("open", code: ENOENT) }
        guard status.st_size <= limit else { throw SystemError("read", code: EFBIG) }
        return try bytes(of: file, limit: min(limit, Int(status.st_size)))
    }

    /// Throws EFBIG for more than `limit` bytes: the file has grown since its size was asked for.
    private static func bytes(of descriptor: CInt, limit: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes { space in
                Glibc.read(descriptor, space.baseAddress.map { $0 + count }, space.count - count)
            }
            if read == 0 { return Array(bytes[..<count]) }
            guard read > 0 else {
                if errno == EINTR { continue }
                throw .last("read")
            }
            count += read
        }
        throw SystemError("read", code: EFBIG)
    }

    /// Puts a file with these bytes in the place of what is there, in one step: readers see all of it or what was before. Its mode
    /// is `mode`, whatever the umask. Throws what open(2), write(2) and rename(2) fail with. May block, as a file system may.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32) throws(SystemError) {
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode_t(mode))
        guard descriptor >= 0 else { throw .last("open") }
        do throws(SystemError) {
            defer { close(descriptor) }
            guard fchmod(descriptor, mode_t(mode)) == 0 else { throw .last("fchmod") }
            var left = bytes[...]
            while !left.isEmpty {
                let count = left.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .last("write") }
                left = left.dropFirst(count)
            }
            guard rename(temporary, path) == 0 else { throw .last("rename") }
        } catch {
            unlink(temporary)
            throw error
        }
    }
}
