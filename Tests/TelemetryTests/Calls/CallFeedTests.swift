import Kernel
import Synchronization
import Testing

@testable import Telemetry

/// Remembers what it got.
private final class Recorder: CallSink {
    private let numbers = Mutex<[UInt64]>([])
    private let finished = Atomic(0)
    private let flushes = Atomic(0)
    private let server = Mutex("")

    func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        let number = event.requestBytes
        numbers.withLock { $0.append(number) }
        let name = names.server(of: event)?.name.text ?? ""
        server.withLock { $0 = name }
    }

    func flush(at now: Instant) { flushes.add(1, ordering: .relaxed) }
    func finish() { finished.add(1, ordering: .relaxed) }

    var received: [UInt64] { numbers.withLock { $0 } }
    var isFinished: Bool { finished.load(ordering: .relaxed) == 1 }
    var lastServer: String { server.withLock { $0 } }
}

@Suite("Finished calls")
struct CallFeedTests {
    private func event(_ number: Int) -> CallEvent {
        var event = CallEvent.sample
        event.requestBytes = UInt64(number)
        return event
    }

    private func numbers(_ range: Range<Int>) -> [UInt64] { range.map { UInt64($0) } }

    @Test("A ring is off until somebody wants calls")
    func off() throws {
        let calls = try CallFeed(workers: 1)
        #expect(!calls.ring(ofWorker: 0).isOn)
        #expect(calls.ring(ofWorker: 0).push(event(0)) == .off)
        #expect(calls.drain() == 0)
    }

    @Test("A ring keeps as many calls as it holds, in order, and counts the others", arguments: [1, 2, 4, 5, 64])
    func full(_ wanted: Int) throws {
        let bell = try Wake()
        let ring = CallRing(capacity: wanted, bell: bell.descriptor)
        ring.turn(on: true)
        for round in 0..<5 {
            let base = round * 1_000
            for number in 0..<ring.capacity { #expect(ring.push(event(base + number)) == .accepted) }
            #expect(ring.push(event(9)) == .dropped)
            var received: [UInt64] = []
            #expect(ring.drain { received.append($0.requestBytes) } == ring.capacity)
            #expect(received == numbers(base..<base + ring.capacity))
        }
        #expect(ring.dropped == 5)
        #expect(ring.capacity >= wanted && ring.capacity.nonzeroBitCount == 1)
    }

    @Test("Calls of one thread reach the sinks in order, each once, while it makes more")
    func threads() throws {
        let calls = try CallFeed(workers: 2, capacity: 256)
        let sinks = [Recorder(), Recorder()]
        for sink in sinks { try calls.add(sink) }
        let done = Atomic(0)
        let ring = calls.ring(ofWorker: 1)
        let total = 5_000
        try Thread(named: "producer") {
            let pause = try? Wake()
            for number in 0..<total {
                while ring.push(self.event(number)) == .dropped { pause?.sleep(milliseconds: 1) }
            }
            done.store(1, ordering: .releasing)
        }.detach()
        #expect(eventually(within: .seconds(120)) { done.load(ordering: .acquiring) == 1 })
        calls.stop(within: .seconds(60))
        for sink in sinks {
            #expect(sink.received == numbers(0..<total))
            #expect(sink.isFinished)
        }
    }

    @Test("A call that comes while the thread sleeps wakes it")
    func sleeping() throws {
        let calls = try CallFeed(workers: 1)
        let sink = Recorder()
        try calls.add(sink)
        let ring = calls.ring(ofWorker: 0)
        // Longer than it looks in vain.
        let pause = try Wake()
        pause.sleep(milliseconds: 1_300)
        for number in 0..<3 { #expect(ring.push(event(number)) == .accepted) }
        #expect(eventually { sink.received.count == 3 })
        calls.stop(within: .seconds(60))
    }

    @Test("A sink that was removed is finished, and gets no more; without any the ring is off")
    func removing() throws {
        let calls = try CallFeed(workers: 1)
        let (first, second) = (Recorder(), Recorder())
        let ring = calls.ring(ofWorker: 0)
        try calls.add(first)
        ring.push(event(0))
        #expect(eventually { first.received.count == 1 })
        try calls.replace([first], with: [second])
        #expect(eventually { first.isFinished })
        ring.push(event(1))
        #expect(eventually { second.received == [1] })
        #expect(first.received == [0])
        calls.remove(second)
        #expect(!ring.isOn)
        #expect(eventually { second.isFinished })
        calls.stop(within: .seconds(60))
    }

    @Test("Lines have the names that were published last; a server that is gone keeps its own")
    func names() throws {
        let calls = try CallFeed(workers: 1)
        let sink = Recorder()
        calls.publish(.sample)
        try calls.add(sink)
        var names = CallNames.sample
        names.servers = [CallNames.Server("mcp-9:3001", upstream: "mcp")]
        calls.publish(names)
        calls.ring(ofWorker: 0).push(event(0))
        #expect(eventually { sink.lastServer == "mcp-2:3001" })
        var other = event(1)
        other.server = 0
        calls.ring(ofWorker: 0).push(other)
        #expect(eventually { sink.lastServer == "mcp-9:3001" })
        calls.stop(within: .seconds(60))
    }

    @Test("Calls that were lost are reported")
    func drops() throws {
        let reports = Reports()
        let calls = try CallFeed(workers: 1, capacity: 2) { reports.add($0) }
        let ring = calls.ring(ofWorker: 0)
        ring.turn(on: true)
        for number in 0..<5 { ring.push(event(number)) }
        calls.drain()
        #expect(calls.dropped == 3)
        #expect(reports.texts == ["3 calls are in no log and no trace: they came faster than they could be written"])
    }
}
