import Glibc

/// Identifies one version of a file by its metadata, without reading it. Follows symbolic links, so that a link that
/// now points to another file is another version.
public struct FileStamp: Equatable, Sendable {
    private let device: UInt
    private let node: UInt
    /// In bytes; of a folder, what its file system says.
    public let size: Int
    private let modified: Int
    private let modifiedNanoseconds: Int
    private let changed: Int
    private let changedNanoseconds: Int

    /// Nil if there is no such file.
    public init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        node = UInt(status.st_ino)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
        changed = status.st_ctim.tv_sec
        changedNanoseconds = status.st_ctim.tv_nsec
    }

    /// Whether a later change is sure to change the stamp. It is not within two seconds of a change: file times come
    /// from a clock with a resolution of some milliseconds. `now` is in seconds since 1970.
    public func isSettled(at now: Int64) -> Bool { Int64(max(modified, changed)) + 2 < now }
}
