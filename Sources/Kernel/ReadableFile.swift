import Glibc

/// A file that is open for reading, until its owner is gone. Calls block, as a pipe or a file system does; no worker may make them.
package final class ReadableFile {
    private let descriptor: CInt

    /// Opens the file. Throws what open(2) fails with.
    package init(_ path: String) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open") }
    }

    deinit { close(descriptor) }

    /// What follows the present place, of which no more than `limit` bytes are read. Throws what read(2) fails with, such as EISDIR.
    package func rest(limit: Int = .max) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < limit {
            let count = read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read") }
            if count == 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Where the next byte is read, from the file's beginning. A pipe is always at 0, and stays there.
    package var offset: Int {
        get { max(0, lseek(descriptor, 0, SEEK_CUR)) }
        set { lseek(descriptor, newValue, SEEK_SET) }
    }

    /// The bytes that the file has now.
    package var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The number of the file on its file system; it is another file if that has changed.
    package static func number(of path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
