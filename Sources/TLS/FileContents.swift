import Glibc

/// Reads whole files without blocking on a FIFO and without reading more than 4 MiB.
package enum FileContents {
    /// The largest file that is read, in bytes. No chain, key or list of authorities is larger.
    private static let maximumBytes = 4 << 20

    /// Reads the file at `path`. Throws if it cannot be opened or read, or has more than 4 MiB.
    package static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let action: StaticString = "reading a file"
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(action, path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= maximumBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure(action, path) }
            if count == 0 { return bytes }
            bytes += chunk[0..<count]
        }
        throw TLSError(action: action, reason: "\(path): it has more than 4 MiB")
    }

    private static func failure(_ action: StaticString, _ path: String) -> TLSError {
        TLSError(action: action, reason: "\(path): \(String(cString: strerror(errno)))")
    }
}
