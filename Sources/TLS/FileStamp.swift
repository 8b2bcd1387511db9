import Glibc

/// One version of a file, as far as that can be told without reading it. Follows links, so that a link to another
/// file is another version.
struct FileStamp: Equatable {
    private let device: UInt
    private let node: UInt
    private let size: Int
    private let modified: Int
    private let modifiedNanoseconds: Int
    private let changed: Int
    private let changedNanoseconds: Int

    /// Nil if there is no such file.
    init?(_ path: String) {
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

    /// A file that was changed so lately might be changed again without its times showing it: they come from a clock
    /// that ticks a few hundred times a second.
    func isSettled(at now: Int64) -> Bool { Int64(max(modified, changed)) + 2 < now }
}
