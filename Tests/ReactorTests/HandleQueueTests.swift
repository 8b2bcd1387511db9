import Reactor
import Testing

@Suite("HandleQueue")
struct HandleQueueTests {
    @Test("first come, first served, however much has been served before")
    func order() {
        var queue = HandleQueue()
        var (asked, served) = (UInt32(0), UInt32(0))
        for round in 0..<200 {
            for _ in 0..<(round < 100 ? 70 : 10) {
                queue.append(Handle(slot: asked, generation: 1))
                asked += 1
            }
            for _ in 0..<40 where !queue.isEmpty {
                #expect(queue.popFirst() == Handle(slot: served, generation: 1))
                served += 1
            }
            #expect(queue.count == Int(asked - served))
        }
        while let handle = queue.popFirst() {
            #expect(handle.slot == served)
            served += 1
        }
        #expect(served == asked && asked == 8_000)
        #expect(queue.isEmpty)
    }

    @Test("what was served is dropped in the middle of a long queue, and nobody is lost or served twice")
    func compaction() {
        var queue = HandleQueue()
        for slot in 0..<10_000 { queue.append(Handle(slot: UInt32(slot), generation: 1)) }
        // Past 1,024 served and half of the queue, the rest moves to the front; appending goes on around each move.
        for slot in 0..<9_999 {
            let handle = queue.popFirst()
            #expect(handle == Handle(slot: UInt32(slot), generation: 1))
            if slot % 1_000 == 0 { queue.append(Handle(slot: UInt32(10_000 + slot / 1_000), generation: 3)) }
            #expect(queue.count == 9_999 - slot + slot / 1_000 + 1)
        }

        var rest: [Handle] = []
        while let handle = queue.popFirst() { rest.append(handle) }

        #expect(rest.first == Handle(slot: 9_999, generation: 1))
        #expect(rest.dropFirst().map(\.slot) == Array(10_000..<10_010))
        #expect(queue.isEmpty && queue.count == 0 && queue.popFirst() == nil)
    }

    @Test(
        "an emptied queue starts afresh, after a long line as after a short one", arguments: [1, 4_096, 4_097, 9_000])
    func refill(length: Int) {
        var queue = HandleQueue()
        for generation: UInt32 in [1, 3] {
            for slot in 0..<length { queue.append(Handle(slot: UInt32(slot), generation: generation)) }
            #expect(queue.count == length)
            var served = 0
            while let handle = queue.popFirst(), handle == Handle(slot: UInt32(served), generation: generation) {
                served += 1
            }
            #expect(served == length && queue.isEmpty)
        }
    }
}
