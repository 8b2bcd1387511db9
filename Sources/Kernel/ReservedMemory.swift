import Glibc

/// A range of addresses for a table that grows in place: nothing in it ever moves.
///
/// Reserving costs address space and no memory. `makeUsable` allows access to a part, and the kernel gives its pages, all
/// zeros, one by one as they are first touched. Two settings of the system matter:
///
/// - `vm.overcommit_memory=2` counts what may be written, whether it was touched or not. Only what was made usable
///   counts here, so a large limit does not keep a process from starting.
/// - Transparent huge pages, where they are `always` on, would back the first byte with 2 MiB, cleared at once. They
///   are refused for this range.
public struct ReservedMemory: ~Copyable {
    /// The first address of the range; aligned to a page.
    public let base: UnsafeMutableRawPointer
    /// The length of the range in bytes, a multiple of `alignment`.
    public let byteCount: Int

    /// A multiple of every page size that Linux has on 64-bit machines: parts that begin at multiples of it share no
    /// page.
    public static var alignment: Int { 65_536 }

    /// Reserves at least `byteCount` bytes, at least 1. Throws ENOMEM where the address space is limited (RLIMIT_AS).
    public init(byteCount: Int) throws(SystemError) {
        precondition(byteCount > 0, "a reservation of nothing")
        let byteCount = ReservedMemory.aligned(byteCount)
        let flags = CInt(MAP_PRIVATE) | CInt(MAP_ANONYMOUS) | CInt(MAP_NORESERVE)
        // Not accessible yet: vm.overcommit_memory=2 ignores MAP_NORESERVE and counts all that may be written.
        guard let base = mmap(nil, byteCount, PROT_NONE, flags, -1, 0), base != MAP_FAILED else {
            throw .last("mmap")
        }
        // Fails where the kernel has no huge pages to refuse.
        madvise(base, byteCount, CInt(MADV_NOHUGEPAGE))
        self.base = base
        self.byteCount = byteCount
    }

    deinit { munmap(base, byteCount) }

    /// Allows reading and writing the pages that hold `range`, in bytes from the base. What was usable stays as it is.
    /// Throws ENOMEM where the system has no memory left to promise (overcommit mode 2, RLIMIT_DATA).
    public func makeUsable(_ range: Range<Int>) throws(SystemError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "beyond the reservation")
        // The base is aligned to a page, perhaps a small one, and mprotect wants whole pages.
        let page = sysconf(CInt(_SC_PAGESIZE))
        let start = range.lowerBound / page * page
        guard mprotect(base + start, range.upperBound - start, PROT_READ | PROT_WRITE) == 0 else {
            throw .last("mprotect")
        }
    }

    /// `byteCount` rounded up to a multiple of `alignment`.
    public static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }
}
