import FoundationEssentials
import Glibc

/// The processes of this machine.
enum ProcessTable {
    /// The numbers of the processes with this word among their arguments.
    static func processes(with word: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { pid in
            pid != getpid() && arguments(of: pid).contains(word)
        }
    }

    /// The first kilobytes of a process's arguments; none if it has ended. Files of /proc have no size, so that they are
    /// read by hand.
    private static func arguments(of pid: pid_t) -> [String] {
        guard let file = fopen("/proc/\(pid)/cmdline", "rb") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = fread(&bytes, 1, bytes.count, file)
        return bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
