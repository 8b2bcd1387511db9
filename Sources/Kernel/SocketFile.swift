import Glibc

/// The file of a Unix socket, to be removed when nobody is to find it any more.
public struct SocketFile: Sendable, Equatable {
    /// Where it is.
    public let path: String
    private let device: UInt
    private let inode: UInt

    /// What is at `path` now; nil if that is no socket.
    public init?(at path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        self.path = path
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
    }

    /// Removes the file, unless another one is in its place by now.
    public func remove() {
        guard SocketFile(at: path) == self else { return }
        unlink(path)
    }
}
