import FoundationEssentials
import Glibc
import Kernel

/// What the process has taken of the machine, as the kernel says it now.
struct ProcessResources {
    /// Memory in use, in bytes.
    var residentBytes: Int64?
    /// Memory that may be used, in bytes: of the process' control groups the smallest limit, or all that the machine has.
    var memoryLimit: Int64?
    /// Processor time, in nanoseconds.
    var cpu: Int64?
    var openFiles: Int64?
    var maximumFiles: Int64?

    init() {
        residentBytes = Self.residentMemory()
        memoryLimit = Self.controlGroupLimit() ?? Self.machineMemory()
        cpu = Self.processorTime()
        openFiles = Self.descriptors()
        var limit = rlimit()
        if getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit) == 0 { maximumFiles = Int64(clamping: limit.rlim_cur) }
    }

    private static var pageBytes: Int64 { Int64(sysconf(CInt(_SC_PAGESIZE))) }

    private static func residentMemory() -> Int64? {
        guard let text = text("/proc/self/statm") else { return nil }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
        return pages.map { $0 * pageBytes }
    }

    private static func processorTime() -> Int64? {
        var usage = rusage()
        guard getrusage(CInt(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        func nanoseconds(_ time: timeval) -> Int64 { Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1_000 }
        return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
    }

    /// Since Linux 6.2 the folder's size is the number, which costs nothing with a hundred thousand of them.
    private static func descriptors() -> Int64? {
        if let size = FileStamp("/proc/self/fd")?.size, size > 0 { return Int64(size) }
        return (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Int64($0.count) }
    }

    private static func machineMemory() -> Int64? {
        let pages = Int64(sysconf(CInt(_SC_PHYS_PAGES)))
        return pages > 0 ? pages * pageBytes : nil
    }

    /// The smallest limit of the control groups that the process is in (cgroup v2, `memory.max`).
    private static func controlGroupLimit() -> Int64? {
        guard let groups = text("/proc/self/cgroup"),
            let line = groups.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return nil }
        var path = String(line.dropFirst(3))
        var smallest: Int64?
        for _ in 0..<64 {
            if let limit = text("/sys/fs/cgroup\(path)/memory.max").flatMap({ Int64($0.filter { $0 != "\n" }) }) {
                smallest = min(smallest ?? limit, limit)
            }
            guard let slash = path.lastIndex(of: "/"), path != "/" else { break }
            path = String(path[..<slash])
        }
        return smallest
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
