import CLinux
import Glibc

/// What this process may take of the machine: processors, descriptors, randomness.
public enum Machine {
    /// Processors this process may run on, at least 1: the affinity mask (a cpuset, `taskset`), not the hardware.
    public static var availableProcessors: Int { Int(berth_available_processors()) }

    /// What the machine calls itself, as gethostname(2) has it; at most 64 bytes.
    public static var hostName: String {
        var name = [CChar](repeating: 0, count: 65)
        guard gethostname(&name, 64) == 0 else { return "localhost" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Bytes of memory that this process has now; nil where the kernel does not say (proc(5), `statm`).
    public static var residentBytes: Int64? {
        guard let text = try? SmallFile.read("/proc/self/statm", limit: 256) else { return nil }
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count > 1, let pages = Int64(String(decoding: words[1], as: UTF8.self)) else { return nil }
        return pages * Int64(getpagesize())
    }

    /// Gives memory back to the system that was freed and that the allocator keeps. It locks each of its arenas in turn, so
    /// that threads that allocate may wait for some milliseconds.
    public static func releaseFreeMemory() { berth_release_free_memory() }

    /// Takes the pages of the program and its libraries out of this process that nobody may write: what start needed and nothing
    /// needs again stays out, the rest is mapped again when it is touched, from the system's cache of files.
    public static func releaseProgramPages() { berth_release_program_pages() }

    /// Raises the soft limit of open descriptors to the hard one, and has the kernel make its descriptor table at once,
    /// for up to `reservedDescriptors` of them. Call it before the first thread starts.
    public static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
        reserveDescriptors(reservedDescriptors)
    }

    /// Descriptors that `raiseDescriptorLimit` makes the kernel's table for: enough for 32,000 plain event streams, which
    /// take two each. The table takes 8.4 bytes of kernel memory a descriptor, 540 KiB for these.
    public static var reservedDescriptors: Int { 65_536 }

    /// Grows the kernel's descriptor table of this process to hold `count` descriptors, or as many as the soft limit
    /// allows. The table never shrinks.
    ///
    /// The kernel doubles the table when a descriptor no longer fits (256, 512, 1,024, ...). In a process with threads
    /// it then waits for an RCU grace period (`expand_fdtable` in fs/file.c), 5 to 20 ms in which the thread that called
    /// accept(2) or socket(2) serves nobody. One thread alone does not wait, and threads that need no descriptor beyond
    /// the present table do not either.
    public static func reserveDescriptors(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let highest = min(UInt64(clamping: count), UInt64(limit.rlim_cur))
        let probe = eventfd(0, CInt(EFD_CLOEXEC))
        guard probe >= 0 else { return }
        defer { Glibc.close(probe) }
        guard highest > 0, let last = CInt(exactly: highest - 1) else { return }
        // A descriptor of that number makes the table; the table stays when the descriptor goes.
        let duplicate = fcntl(probe, F_DUPFD_CLOEXEC, last)
        if duplicate >= 0 { Glibc.close(duplicate) }
    }

    /// `count` bytes from the kernel's generator, fit for keys. Blocks only before the kernel has seeded it at boot.
    public static func randomBytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let got = getrandom(buffer.baseAddress.map { $0 + initialized }, count - initialized, 0)
                if got > 0 { initialized += got }
            }
        }
    }
}
