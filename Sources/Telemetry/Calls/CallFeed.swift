package import Kernel
import Synchronization

/// Brings finished calls from the workers to whatever wants them: one thread that empties the rings of all workers.
///
/// It looks every 50 ms while there are calls. After a second without any it sleeps, and the next call wakes it: an idle
/// proxy costs one look a second, a busy one no system call a call. Without a sink there is no thread and no memory.
package final class CallFeed: Sendable {
    private static var pause: CInt { 50 }
    private static var longPause: CInt { 1_000 }
    /// Looks without a call after which it sleeps.
    private static var quietLooks: Int { 20 }

    private let rings: [CallRing]
    private let bell: Wake
    private let ended: Wake
    private let names = Mutex(CallNames())
    private let report: @Sendable (LogReport) -> Void
    private let drops = Mutex(Drops())
    private let state = Mutex(State())
    /// Held while rings are emptied: they have one consumer.
    private let draining = Mutex(())

    private struct State {
        var sinks: [any CallSink] = []
        /// Those to be told that there will be no more.
        var removed: [any CallSink] = []
        var hasThread = false
        var isStopped = false
    }

    /// Drops that were reported, and when the next report is due.
    private struct Drops {
        var reported = 0
        var nextReportAt: Instant?
    }

    /// A feed for so many workers, each with a ring of `capacity` calls. `report` gets what an operator should know. Throws
    /// what eventfd(2) fails with.
    package init(
        workers: Int, capacity: Int = CallRing.standardCapacity,
        report: @escaping @Sendable (LogReport) -> Void = { _ in }
    ) throws(SystemError) {
        self.report = report
        let bell = try Wake()
        self.bell = bell
        ended = try Wake()
        rings = (0..<max(0, workers)).map { _ in CallRing(capacity: capacity, bell: bell.descriptor) }
    }

    /// Where a worker puts its calls. Its thread alone may do so.
    package func ring(ofWorker index: Int) -> CallRing { rings[index] }

    /// Calls that no sink got, since a ring was full.
    package var dropped: Int { rings.reduce(0) { $0 &+ $1.dropped } }

    /// Has lines say these names from the next look on.
    package func publish(_ new: CallNames) {
        names.withLock { names in
            var new = new
            new.inherit(names)
            names = new
        }
    }

    /// Gives calls to one more sink, from the next look on. Any thread may call it. Throws what a thread cannot be started for;
    /// then nothing has changed.
    package func add(_ sink: any CallSink) throws(SystemError) { try replace([], with: [sink]) }

    /// Gives no calls to a sink from the next look on; it gets its `finish` then. Any thread may call it, the sink itself as well.
    package func remove(_ sink: any CallSink) { try? replace([sink], with: []) }

    /// Has some sinks take the place of others, between two calls.
    package func replace(_ old: [any CallSink], with new: [any CallSink]) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            guard !state.isStopped else { return }
            if !state.hasThread, !new.isEmpty {
                try Thread(named: "calls") { [self] in run() }.detach()
                state.hasThread = true
            }
            state.removed += state.sinks.filter { sink in old.contains { $0 === sink } }
            state.sinks.removeAll { sink in old.contains { $0 === sink } }
            state.sinks += new
            for ring in rings { ring.turn(on: !state.sinks.isEmpty) }
        }
        bell.ring()
    }

    /// Has the thread look at once: a sink has something to write that is no call.
    package func wake() { bell.ring() }

    /// Has the thread write what there is, and waits until it has, at most for `limit`. Nothing is received afterwards.
    package func stop(within limit: Interval) {
        let hasThread = state.withLock { state in
            state.isStopped = true
            return state.hasThread
        }
        guard hasThread else { return }
        bell.ring()
        ended.sleep(milliseconds: CInt(clamping: limit.nanoseconds / 1_000_000))
    }

    private func run() {
        var quiet = 0
        while true {
            let (isStopped, isOn) = state.withLock { ($0.isStopped, !$0.sinks.isEmpty) }
            let most = drain()
            if isStopped { break }
            quiet = most == 0 ? min(quiet + 1, Self.quietLooks) : 0
            sleep(isDeep: quiet == Self.quietLooks, isOn: isOn, most: most)
        }
        let sinks = state.withLock { state in
            defer { state.sinks = [] }
            return state.sinks
        }
        for sink in sinks { sink.finish() }
        ended.ring()
    }

    /// `most`: calls that the fullest ring had.
    private func sleep(isDeep: Bool, isOn: Bool, most: Int) {
        guard isOn else { return bell.sleep(milliseconds: -1) }
        guard isDeep else {
            // A ring that was half full could overflow in a pause of the same length.
            let isBusy = most > (rings.first?.capacity ?? 0) / 4
            return bell.sleep(milliseconds: isBusy ? Self.pause / 10 : Self.pause)
        }
        for ring in rings { ring.markAsleep(true) }
        // A call that came just before a mark was seen waits for the end of the pause, or for the next call.
        bell.sleep(milliseconds: Self.longPause)
        for ring in rings { ring.markAsleep(false) }
    }

    /// Gives all calls that are there to the sinks, and returns how many the fullest ring had. The feed's thread calls it;
    /// tests may.
    @discardableResult
    package func drain() -> Int {
        draining.withLock { _ in
            let (sinks, removed) = state.withLock { state in
                defer { state.removed = [] }
                return (state.sinks, state.removed)
            }
            let names = names.withLock { $0 }
            var most = 0
            for ring in rings {
                let count = ring.drain { event in
                    for sink in sinks { sink.receive(event, names) }
                }
                most = max(most, count)
            }
            let now = Instant.now()
            for sink in sinks { sink.flush(at: now) }
            for sink in removed { sink.finish() }
            reportDrops(at: now)
            return most
        }
    }

    /// Says that calls were lost: at once, and then once a minute.
    private func reportDrops(at now: Instant) {
        let dropped = dropped
        let new = drops.withLock { drops in
            guard dropped > drops.reported, drops.nextReportAt.map({ now >= $0 }) ?? true else { return 0 }
            defer { drops = Drops(reported: dropped, nextReportAt: now + .seconds(60)) }
            return dropped - drops.reported
        }
        guard new > 0 else { return }
        report(
            LogReport(
                isError: true,
                text: "\(new) calls are in no log and no trace: they came faster than they could be written"))
    }
}
