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
}
