import Reactor
import Testing

@testable import Proxy

@Suite("Queue of those that await their turn")
struct TurnQueueTests {
    private struct Guest: TurnTaking, ~Copyable {
        let name: Int
        var awaitsTurn = false
    }

    /// A queue and the slab of its guests.
    private struct Machine: ~Copyable {
        var slab = Slab<Guest>(limit: 16)
        var queue = TurnQueue()
        var handles: [Handle] = []

        init(guests: Int) throws {
            for name in 0..<guests {
                let handle = slab.insert(Guest(name: name))
                handles.append(try #require(handle))
            }
        }

        mutating func append(_ name: Int) { queue.append(handles[name], in: &slab) }

        mutating func popFirst() -> Int? {
            guard let handle = queue.popFirst(from: &slab) else { return nil }
            return slab[handle].name
        }

        /// The names of a whole round.
        mutating func round() -> [Int] {
            var names: [Int] = []
            queue.beginRound()
            while let name = popFirst() { names.append(name) }
            return names
        }
    }

    @Test("each is served once, in the order in which it came")
    func order() throws {
        var machine = try Machine(guests: 4)
        for name in [2, 0, 2, 3, 0] { machine.append(name) }
        let first = machine.round()
        #expect(first == [2, 0, 3])
        let isEmpty = machine.queue.isEmpty
        #expect(isEmpty)
        let second = machine.round()
        #expect(second == [])
    }

    @Test("what comes during a round waits for the next, even who is just being served")
    func rounds() throws {
        var machine = try Machine(guests: 3)
        machine.append(0)
        machine.append(1)
        machine.queue.beginRound()
        var served: [Int] = []
        while let name = machine.popFirst() {
            served.append(name)
            machine.append(name)
            // In the round still, or in the next already: no second time.
            machine.append(1)
            machine.append(2)
        }
        #expect(served == [0, 1])
        let isEmpty = machine.queue.isEmpty
        #expect(!isEmpty)
        let next = machine.round()
        #expect(next == [0, 2, 1])
    }

    @Test("who has gone is passed over, and who has its slot now is not taken for it")
    func gone() throws {
        var machine = try Machine(guests: 3)
        for name in [0, 1, 2] { machine.append(name) }
        machine.slab.discard(machine.handles[1])
        let other = machine.slab.insert(Guest(name: 7))
        machine.handles[1] = try #require(other)
        let first = machine.round()
        #expect(first == [0, 2])
        machine.append(1)
        let second = machine.round()
        #expect(second == [7])
    }
}
