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
}
