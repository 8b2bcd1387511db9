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
    private let ledger: Statistics

    init(_ number: Int, _ ledger: Statistics) {
        self.number = number
        self.ledger = ledger
        ledger.born += 1
    }

    deinit { ledger.gone += 1 }
}

@Suite("Slab")
struct SlabTests {
    @Test("random tenants come and go as in a dictionary", arguments: 1...20)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let ledger = Statistics()
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
                    if let handle = slab.insert(Tenant(step, ledger)) {
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
            #expect(ledger.born - ledger.gone == model.count)
        }
        #expect(ledger.born == ledger.gone)
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
        let ledger = Statistics()
        var slab = Slab<Tenant>(limit: limit)
        let handles = (0..<limit).compactMap { slab.insert(Tenant($0, ledger)) }
        let isFull = slab.isFull
        let refused = slab.insert(Tenant(-1, ledger)) == nil
        let slots = slab.slots
        let numbers = handles.map { slab[$0].number }

        #expect(isFull)
        #expect(refused)
        #expect(ledger.gone == 1, "who is refused is gone")
        #expect(slots == limit)
        #expect(numbers == Array(0..<limit))
        #expect(handles.map { Int($0.slot) } == Array(0..<limit), "the lowest slot first")
    }

    @Test("a slot's next tenant has another handle")
    func reuse() {
        let ledger = Statistics()
        var slab = Slab<Tenant>(limit: 10)
        var handles: Set<Handle> = []
        for number in 0..<1000 {
            guard let handle = slab.insert(Tenant(number, ledger)) else { continue }
            #expect(handle.slot == 0)
            handles.insert(handle)
            _ = slab.remove(handle)
        }

        #expect(handles.count == 1000)
    }

    @Test("handles made from nothing name nobody, in an empty slab and in a used one")
    func forged() {
        let ledger = Statistics()
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

        guard let handle = slab.insert(Tenant(1, ledger)) else { return }
        _ = slab.remove(handle)
        let vacant = Handle(slot: handle.slot, generation: handle.generation + 1)
        let isKnown = slab.contains(vacant)
        let isRemoved = slab.remove(vacant) != nil

        #expect(!isKnown && !isRemoved)
        #expect(Handle.none.isNone)
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
