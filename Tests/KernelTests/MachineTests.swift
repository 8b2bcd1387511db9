import Foundation
import Glibc
import Kernel
import Testing

@Suite("Machine")
struct MachineTests {
    @Test("random bytes fill what was asked for", arguments: [0, 1, 32, 1000])
    func randomness(count: Int) {
        let bytes = Machine.randomBytes(count)

        #expect(bytes.count == count)
        if count >= 32 { #expect(bytes != Machine.randomBytes(count)) }
        #expect(Machine.availableProcessors >= 1)
    }

    @Test("the kernel's descriptor table holds what was reserved, and the reserved descriptors are free")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            guard limit.rlim_max >= 4_096 else { exit(0) }
            limit.rlim_cur = 4_096
            setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            guard tableSize() < 2_048 else { exit(1) }

            Machine.reserveDescriptors(0)
            Machine.reserveDescriptors(2_000)
            guard tableSize() == 2_048, fcntl(1_999, F_GETFD) == -1 else { exit(2) }
            // No more than this process may open.
            Machine.reserveDescriptors(1_000_000)
            guard tableSize() == 4_096, fcntl(4_095, F_GETFD) == -1 else { exit(3) }
            let next = dup(0)
            exit(next >= 0 && next < 1_000 ? 0 : 4)
        }
    }

    @Test("the soft limit of descriptors is raised to the hard one, and the table is made")
    func raising() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = min(limit.rlim_max, 100)
            setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)

            Machine.raiseDescriptorLimit()

            var raised = rlimit()
            getrlimit(CInt(RLIMIT_NOFILE.rawValue), &raised)
            let wanted = min(Int(clamping: raised.rlim_max), Machine.reservedDescriptors)
            exit(raised.rlim_cur == limit.rlim_max && tableSize() >= wanted ? 0 : 1)
        }
    }
}

/// Descriptors that the kernel's table of this process has space for: `FDSize` in /proc/self/status.
private func tableSize() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("FDSize:") } ?? ""
    return Int(line.filter(\.isNumber)) ?? -1
}
