import Glibc

/// Whole files, read in a way that cannot hang.
package enum FileContents {
    /// More than any chain, key or list of authorities has.
    private static let largest = 4 << 20

    /// All of a file.
    package static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let action: StaticString = "reading a file"
        // Not to wait for the writer of a FIFO.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(action, path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= largest {
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
