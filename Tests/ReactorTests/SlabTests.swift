import Glibc
import Reactor
import Simulation
import TestSupport
import Testing

/// Counts how many tenants moved in and how many are gone.
private final class Statistics {
    var born = 0
    var gone = 0
}

private struct Tenant: ~Copyable {
    var number: Int
    private let drops: Statistics

    init(_ number: Int, _ drops: Statistics) {
        self.number = number
        self.drops = drops
        drops.born += 1
    }

    deinit { drops.gone += 1 }
}

/// A tenant as wide as those of a worker, that tells where it lives.
private struct WideTenant: ~Copyable {
    var tenant: Tenant
    private var padding: InlineArray<30, UInt64> = .init(repeating: 0)

    init(_ number: Int, _ drops: Statistics) { tenant = Tenant(number, drops) }

    mutating func address() -> UInt { withUnsafeMutablePointer(to: &self) { UInt(bitPattern: $0) } }
}

/// 10 KiB.
private struct Huge {
    var number: Int
    private var padding: InlineArray<1_279, Int> = .init(repeating: 0)

    init(number: Int = 0) { self.number = number }
}

/// A line of /proc/self/status, in KiB.
private func statusKiB(_ name: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, CInt(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.hasPrefix(name) { return Int(text.filter(\.isNumber)) ?? 0 }
    }
    return 0
}

private func residentKiB() -> Int { statusKiB("VmRSS:") }
private func dataKiB() -> Int { statusKiB("VmData:") }

@Suite("Slab")
struct SlabTests {
    @Test("random tenants come and go as in a dictionary", arguments: 1...20)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let drops = Statistics()
        var model: [Handle: Int] = [:]
        var living: [Handle] = []
        var retired: [Handle] = []
        do {
            var slab = Slab<Tenant>(limit: 300)
            for step in 0..<3000 {
                // Waves: mostly arrivals for a while, then mostly departures.
                let arrives = generator.next() % 10 < (step / 500 % 2 == 0 ? 7 : 3)
                if arrives {
                    let wasFull = slab.isFull
                    if let handle = slab.insert(Tenant(step, drops)) {
                        #expect(!wasFull)
                        #expect(model.updateValue(step, forKey: handle) == nil, "a handle is never given twice")
                        living.append(handle)
                    } else {
                        #expect(wasFull)
                    }
                } else if let index = living.indices.randomElement(using: &generator) {
                    let handle = living.remove(at: index)
                    slab[handle].number += 1
                    let number = number(of: slab.remove(handle))
                    #expect(number == model.removeValue(forKey: handle).map { $0 + 1 })
                    retired.append(handle)
                }
                let count = slab.count
                #expect(count == model.count)
                if let old = retired.randomElement(using: &generator) {
                    let knowsOld = slab.contains(old)
                    let removesOld = slab.remove(old) != nil
                    #expect(!knowsOld && !removesOld)
                }
            }
            check(slab, model)
            #expect(drops.born - drops.gone == model.count)
        }
        #expect(drops.born == drops.gone)
    }

    private func number(of tenant: consuming Tenant?) -> Int? {
        guard let tenant else { return nil }
        return tenant.number
    }

    private func check(_ slab: borrowing Slab<Tenant>, _ model: [Handle: Int]) {
        var seen = 0
        for slot in 0..<slab.slots {
            guard let handle = slab.handle(inSlot: slot) else { continue }
            let number = slab[handle].number
            #expect(number == model[handle])
            seen += 1
        }
        #expect(seen == model.count)
    }

    @Test("grows to its limit and not beyond, keeping every tenant", arguments: [1, 2, 63, 64, 65, 1000])
    func limit(limit: Int) {
        let drops = Statistics()
        var slab = Slab<Tenant>(limit: limit)
        let handles = (0..<limit).compactMap { slab.insert(Tenant($0, drops)) }
        let isFull = slab.isFull
        let refused = slab.insert(Tenant(-1, drops)) == nil
        let slots = slab.slots
        let numbers = handles.map { slab[$0].number }

        #expect(isFull)
        #expect(refused)
        #expect(drops.gone == 1, "who is refused is gone")
        #expect(slots == limit)
        #expect(numbers == Array(0..<limit))
        #expect(handles.map { Int($0.slot) } == Array(0..<limit), "the lowest slot first")
    }

    @Test("a slot's next tenant has another handle")
    func reuse() {
        let drops = Statistics()
        var slab = Slab<Tenant>(limit: 10)
        var handles: Set<Handle> = []
        for number in 0..<1000 {
            guard let handle = slab.insert(Tenant(number, drops)) else { continue }
            #expect(handle.slot == 0)
            handles.insert(handle)
            _ = slab.remove(handle)
        }

        #expect(handles.count == 1000)
    }

    @Test("handles made from nothing name nobody, in an empty slab and in a used one")
    func forged() {
        let drops = Statistics()
        var slab = Slab<Tenant>(limit: 10)
        let forged = [
            Handle.none, Handle(slot: 0, generation: 0), Handle(slot: 9, generation: 0),
            Handle(slot: 10, generation: 1),
            Handle(slot: .max, generation: 1), Handle(slot: 3, generation: 2),
        ]
        for handle in forged {
            let isKnown = slab.contains(handle)
            #expect(!isKnown)
        }

        guard let handle = slab.insert(Tenant(1, drops)) else { return }
        _ = slab.remove(handle)
        let vacant = Handle(slot: handle.slot, generation: handle.generation + 1)
        let isKnown = slab.contains(vacant)
        let isRemoved = slab.remove(vacant) != nil

        #expect(!isKnown && !isRemoved)
        #expect(Handle.none.isNone)
    }

    @Test("values stay where they are through many steps of growth, and handles stay valid")
    func stability() {
        let drops = Statistics()
        do {
            // 256 KiB of elements become usable at a time, so this is more than ten steps.
            var slab = Slab<WideTenant>(limit: 20_000)
            var handles: [Handle] = []
            var addresses: [UInt] = []
            for number in 0..<20_000 {
                guard let handle = slab.insert(WideTenant(number, drops)) else { break }
                handles.append(handle)
                addresses.append(slab[handle].address())
            }
            let isFull = slab.isFull
            var wrong = 0
            for (number, handle) in handles.enumerated()
            where slab[handle].tenant.number != number || slab[handle].address() != addresses[number] { wrong += 1 }

            #expect(handles.count == 20_000 && isFull)
            #expect(wrong == 0)

            for handle in handles where handle.slot % 3 == 0 { _ = slab.remove(handle) }
            let known = handles.filter { slab.contains($0) }

            #expect(known.count == slab.count && known.allSatisfy { $0.slot % 3 != 0 })
            #expect(drops.gone == 6_667)
        }
        #expect(drops.gone == 20_000, "the slab destroys who is left, once")
    }

    @Test("a large limit costs neither memory nor time before it is used")
    func largeLimit() {
        let before = residentKiB()
        var slab = Slab<Huge>(limit: 10_000_000)
        let handle = slab.insert(Huge())
        let grown = residentKiB() - before

        #expect(handle != nil)
        // 100 GB of addresses; other tests run meanwhile and take some memory of their own.
        #expect(grown < 1_048_576)
    }

    @Test("a slab that the system refuses memory takes nobody more, and serves those it has")
    func refusedMemory() async {
        await #expect(processExitsWith: .success) {
            var slab = Slab<Huge>(limit: 1_000_000)
            guard let first = slab.insert(Huge(number: 7)) else { exit(1) }
            // What this process may write to, from here on: 64 MiB more, and the slab wants 10 GB.
            var limit = rlimit()
            getrlimit(CInt(RLIMIT_DATA.rawValue), &limit)
            limit.rlim_cur = rlim_t(dataKiB() * 1_024 + 64 << 20)
            setrlimit(CInt(RLIMIT_DATA.rawValue), &limit)
            var count = 1
            while slab.insert(Huge()) != nil { count += 1 }
            guard count < 100_000, slab.count == count, slab[first].number == 7 else { exit(1) }
            _ = slab.remove(first)
            guard slab.insert(Huge()) != nil, slab.insert(Huge()) == nil else { exit(1) }
            exit(0)
        }
    }

    @Test("following a stale handle is a trap")
    func stale() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<Int>(limit: 4)
            guard let handle = slab.insert(1) else { return }
            _ = slab.remove(handle)
            slab[handle] += 1
        }
    }
}
