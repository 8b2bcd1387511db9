package import Kernel
import Synchronization

/// Sends the spans of recorded calls to a collector in batches, on a thread of its own: OTLP/HTTP with Protocol Buffers.
///
/// A collector that is slow or away delays nobody. Calls wait in a queue of bounded length; when it is full, or when a batch
/// could not be delivered in two attempts, calls are dropped and counted.
package final class TraceExporter: CallSink {
    /// The bounds of what waits and of what is sent.
    package struct Limits: Sendable {
        /// Calls that wait at most.
        package var queue = 4_096
        /// Calls that are sent in one request; each has two spans at most. This many do not wait for `interval`.
        package var batch = 256
        /// The longest that a call waits.
        package var interval = Interval.seconds(5)
        /// How long one request may take.
        package var timeout = Interval.seconds(10)
        /// The pause before the second attempt, unless the collector asks for another; it gets five times as much at most.
        package var retryPause = Interval.seconds(1)

        package init() {}
    }

    /// What has become of calls so far, and of requests.
    package struct Counts: Sendable, Equatable {
        /// Spans that the collector has accepted.
        package var exported = 0
        /// Calls that were recorded and not delivered.
        package var dropped = 0
        /// Requests that failed, each attempt for itself.
        package var failures = 0
        /// Why the last request failed; nil: it did not.
        package var lastError: String?

        package init(exported: Int = 0, dropped: Int = 0, failures: Int = 0) {
            self.exported = exported
            self.dropped = dropped
            self.failures = failures
        }

        /// Adds the numbers of another exporter.
        package mutating func add(_ other: Counts) {
            exported += other.exported
            dropped += other.dropped
            failures += other.failures
        }
    }

    private struct State {
        var waiting: [CallEvent] = []
        var names = CallNames()
        var counts = Counts()
        var isFinishing = false
    }

    private let collector: CollectorAddress
    private let resource: TraceResource
    private let limits: Limits
    private let report: @Sendable (String) -> Void
    private let state = Mutex(State())
    private let wake: Wake
    private let ended: Wake

    /// Starts the thread, which ends with `finish`. `report` is given a line when deliveries begin to fail, and when they
    /// succeed again. Throws what the thread cannot be started for.
    package init(
        to collector: CollectorAddress, as resource: TraceResource, limits: Limits = Limits(),
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SystemError) {
        self.collector = collector
        self.resource = resource
        self.limits = limits
        self.report = report
        wake = try Wake()
        ended = try Wake()
        let client = try CollectorClient()
        let handover = Mutex<CollectorClient?>(consume client)
        try Thread(named: "traces") { [self] in
            if let client = handover.withLock({ $0.take() }) { run(client) }
            ended.ring()
        }.detach()
    }

    /// What has become of calls so far. Any thread may ask.
    package var counts: Counts { state.withLock { $0.counts } }

    /// Queues a call if it is recorded.
    package func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        guard event.trace.isRecorded else { return }
        let event = copy event
        let isBatch = state.withLock { state in
            guard state.waiting.count < limits.queue else {
                state.counts.dropped += 1
                return false
            }
            state.waiting.append(event)
            state.names = names
            return state.waiting.count == limits.batch
        }
        if isBatch { wake.ring() }
    }

    /// The thread looks at the time itself.
    package func flush(at now: Instant) {}

    /// Has the thread send what waits, and waits for a second at most until it has.
    package func finish() {
        state.withLock { $0.isFinishing = true }
        wake.ring()
        ended.sleep(milliseconds: 1_000)
    }

    // MARK: - The thread

    private func run(_ client: consuming CollectorClient) {
        var encoder = SpanEncoder()
        var hasFailed = false
        while true {
            let isFinishing = state.withLock { $0.isFinishing }
            let fewest = isFinishing ? 1 : pause(untilBatch: !hasFailed)
            while let batch = takeBatch(ofAtLeast: fewest) {
                encoder.clear()
                for event in batch.events { encoder.add(event, batch.names) }
                let isDelivered = deliver(encoder.request(resource), &client)
                note(batch.events.count, spans: encoder.count, isDelivered: isDelivered)
                if isDelivered == hasFailed { reportChange(isDelivered) }
                hasFailed = !isDelivered
                // Where the collector is away, one batch at a time tries it.
                if hasFailed { break }
            }
            if isFinishing { break }
        }
        state.withLock { state in
            state.counts.dropped += state.waiting.count
            state.waiting = []
        }
    }

    /// Sleeps until a batch is full, or for the interval; after a failure for the interval. Returns how many calls are worth a
    /// request then.
    private func pause(untilBatch: Bool) -> Int {
        let deadline = Instant.now() + limits.interval
        while Instant.now() < deadline {
            let (count, isFinishing) = state.withLock { ($0.waiting.count, $0.isFinishing) }
            if isFinishing { return 1 }
            if untilBatch && count >= limits.batch { return limits.batch }
            sleep(until: deadline)
        }
        return 1
    }

    private func sleep(until deadline: Instant) {
        wake.sleep(milliseconds: CInt(clamping: (deadline - Instant.now()).nanoseconds / 1_000_000 + 1))
    }

    private func takeBatch(ofAtLeast fewest: Int) -> (events: [CallEvent], names: CallNames)? {
        state.withLock { state in
            guard state.waiting.count >= fewest else { return nil }
            let count = min(limits.batch, state.waiting.count)
            let events = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            return (events, state.names)
        }
    }

    /// Sends a request, and once more if the collector may take it then.
    private func deliver(_ request: [UInt8], _ client: inout CollectorClient) -> Bool {
        for attempt in 0...1 {
            // A process that ends waits for a second.
            let isHurried = state.withLock { $0.isFinishing }
            let deadline = Instant.now() + (isHurried ? min(.milliseconds(800), limits.timeout) : limits.timeout)
            let response = client.post(request, to: collector, by: deadline) {
                !isHurried && state.withLock { $0.isFinishing }
            }
            switch response {
            case .accepted:
                state.withLock { $0.counts.lastError = nil }
                return true
            case .rejected(let reason):
                noteFailure(reason)
                return false
            case .unavailable(let reason, let seconds):
                noteFailure(reason)
                guard attempt == 0, !isHurried else { return false }
                let asked = seconds.map { Interval.seconds(UInt64($0)) } ?? limits.retryPause
                let longest = Interval(nanoseconds: limits.retryPause.nanoseconds &* 5)
                waitToRetry(min(asked, longest))
            }
        }
        return false
    }

    private func waitToRetry(_ pause: Interval) {
        let deadline = Instant.now() + pause
        while Instant.now() < deadline, !state.withLock({ $0.isFinishing }) { sleep(until: deadline) }
    }

    private func note(_ calls: Int, spans: Int, isDelivered: Bool) {
        state.withLock { state in
            if isDelivered { state.counts.exported += spans } else { state.counts.dropped += calls }
        }
    }

    private func noteFailure(_ reason: String) {
        state.withLock { state in
            state.counts.failures += 1
            state.counts.lastError = reason
        }
    }

    private func reportChange(_ isDelivered: Bool) {
        guard !isDelivered else { return report("traces are delivered again to \(collector.authority)") }
        let counts = counts
        report("traces are not delivered to \(collector.authority): \(counts.lastError ?? "no response")")
    }
}
