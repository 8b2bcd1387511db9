import Glibc
import Kernel
import Testing

@Suite("Reserved memory")
struct ReservedMemoryTests {
    @Test("a length is rounded up to whole units", arguments: [(1, 65_536), (65_536, 65_536), (65_537, 131_072)])
    func rounding(asked: Int, given: Int) throws {
        let memory = try ReservedMemory(byteCount: asked)

        #expect(memory.byteCount == given)
        #expect(UInt(bitPattern: memory.base) % UInt(sysconf(CInt(_SC_PAGESIZE))) == 0)
    }

    @Test("what was made usable holds zeros, then what is written, and keeps it as more is made usable")
    func usable() throws {
        let memory = try ReservedMemory(byteCount: 1 << 20)
        let numbers = memory.base.assumingMemoryBound(to: UInt8.self)
        for (round, end) in [1, 4_096, 4_097, 70_000, 1 << 20].enumerated() {
            let start = round == 0 ? 0 : [1, 4_096, 4_097, 70_000][round - 1]
            try memory.makeUsable(start..<end)
            #expect((start..<end).allSatisfy { numbers[$0] == 0 })
            for index in start..<end { numbers[index] = UInt8(truncatingIfNeeded: index % 251 + 1) }
        }

        #expect((0..<1 << 20).allSatisfy { numbers[$0] == UInt8(truncatingIfNeeded: $0 % 251 + 1) })
    }

    @Test("touching what was not made usable ends the process")
    func guarded() async {
        await #expect(processExitsWith: .failure) {
            let memory = try ReservedMemory(byteCount: 1 << 20)
            try memory.makeUsable(0..<4_096)
            memory.base.storeBytes(of: 1, toByteOffset: 1 << 19, as: UInt8.self)
        }
    }

    @Test("a reservation that the address space limit forbids is an error with its cause")
    func refused() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            getrlimit(CInt(RLIMIT_AS.rawValue), &limit)
            limit.rlim_cur = 1 << 40
            setrlimit(CInt(RLIMIT_AS.rawValue), &limit)
            do throws(SystemError) {
                _ = try ReservedMemory(byteCount: 1 << 41)
                exit(1)
            } catch {
                exit(error.code == ENOMEM && "\(error)".hasPrefix("mmap") ? 0 : 1)
            }
        }
    }

    @Test("its addresses go back when it goes: many times the address space can be had one after another")
    func givenBack() throws {
        // 47 bits of addresses are 128 TiB: forty reservations of 8 TiB do not fit side by side.
        for _ in 0..<40 { _ = try ReservedMemory(byteCount: 1 << 43).byteCount }
    }
}
