import ASCII
import FoundationEssentials
import Kernel

/// The file that says which process serves, for scripts and for `berth upgrade`.
struct PIDFile {
    let path: String

    /// The process that the file names; nil if there is none.
    var process: CInt? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 32 else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmed
        return CInt(text).flatMap { $0 > 1 ? $0 : nil }
    }

    /// Names this process; the file is there whole or as it was before.
    func write() throws(SystemError) {
        try SmallFile.replace(path, with: Array("\(ThisProcess.id)\n".utf8), mode: 0o644)
    }

    /// Removes the file, unless it names another process by now.
    func remove() {
        if process == ThisProcess.id { try? FileManager.default.removeItem(atPath: path) }
    }
}
