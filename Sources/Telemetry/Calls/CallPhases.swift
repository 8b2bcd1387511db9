import Synchronization

/// What a call waited for before its response came.
package enum CallPhase: Int, CaseIterable, Sendable {
    /// A connection, in the queue. Counted where there was a queue, also if the wait was in vain.
    case queue
    /// A connection that was not waited for in a queue: it was idle, or was opened.
    case connect
    /// The first byte of the response, from when there was a connection.
    case firstByte = 2
}

/// Histograms of phases, by upstream. Only one worker counts in them. Their memory is never freed.
struct CallPhases: Sendable {
    private let rows: Counters
    private let upstreams: Int

    init(upstreams: Int) {
        self.upstreams = upstreams
        rows = Counters(upstreams * CallPhase.allCases.count * CallSeriesTable.rowLength)
    }

    @inline(__always)
    func add(_ event: borrowing CallEvent, _ buckets: LatencyBuckets) {
        let (queued, connected) = (event.offsets.queued, event.offsets.connected)
        let (firstByte, never) = (event.offsets.firstByte, CallEvent.Offsets.never)
        guard Int(event.upstream) < upstreams else { return }
        if queued != never {
            let end = connected != never ? UInt64(connected) &* 1_000 : event.duration
            let start = UInt64(queued) &* 1_000
            add(.queue, event.upstream, end > start ? end &- start : 0, buckets)
        }
        guard connected != never else { return }
        if queued == never { add(.connect, event.upstream, UInt64(connected) &* 1_000, buckets) }
        if firstByte != never, firstByte >= connected {
            add(.firstByte, event.upstream, UInt64(firstByte &- connected) &* 1_000, buckets)
        }
    }

    @inline(__always)
    private func add(_ phase: CallPhase, _ upstream: UInt16, _ nanoseconds: UInt64, _ buckets: LatencyBuckets) {
        let base = base(phase, upstream)
        rows[base &+ buckets.index(of: nanoseconds)].increase(by: 1)
        rows[base &+ LatencyBuckets.count].increase(by: Int64(truncatingIfNeeded: nanoseconds))
    }

    /// Counts many waits at once.
    func add(_ histogram: CallHistogram, to phase: CallPhase, upstream: UInt16) {
        guard Int(upstream) < upstreams else { return }
        let base = base(phase, upstream)
        for (bucket, count) in histogram.counts.enumerated() where bucket < LatencyBuckets.count {
            rows[base + bucket].increase(by: count)
        }
        rows[base + LatencyBuckets.count].increase(by: histogram.nanoseconds)
    }

    @inline(__always)
    private func base(_ phase: CallPhase, _ upstream: UInt16) -> Int {
        (Int(upstream) &* CallPhase.allCases.count &+ phase.rawValue) &* CallSeriesTable.rowLength
    }

    /// The slot gets another upstream.
    func reset(upstream: UInt16) {
        guard Int(upstream) < upstreams else { return }
        for phase in CallPhase.allCases {
            for number in 0..<CallSeriesTable.rowLength {
                rows[base(phase, upstream) + number].pointee.store(0, ordering: .relaxed)
            }
        }
    }

    func histogram(_ phase: CallPhase, upstream: UInt16) -> CallHistogram {
        let base = base(phase, upstream)
        func load(_ number: Int) -> Int64 { rows[base + number].pointee.load(ordering: .relaxed) }
        return CallHistogram(
            counts: (0..<LatencyBuckets.count).map(load), nanoseconds: load(LatencyBuckets.count), buckets: .calls)
    }
}
