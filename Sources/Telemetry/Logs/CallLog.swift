package import Kernel

/// How a log writes a call.
package enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object a line.
    case json
    /// The Common Log Format, and behind it the same keys as JSON has.
    case text
}

/// The access log, and the log of slow calls: a line for each exchange, or for some of them.
package final class CallLog: CallSink, @unchecked Sendable {
    /// Which calls get a line.
    package struct Rule: Sendable, Equatable {
        /// From how long on a call is slow, in nanoseconds; nil: none is. Streams that a client only listens on never are.
        package var slow: UInt64?
        /// Slow calls only.
        package var onlySlow = false
        /// The share of calls that get one, 0...1, of those that neither failed nor were slow, which all do.
        package var sample = 1.0

        /// All calls, of which those from 1 s on are slow.
        package init() { slow = 1_000_000_000 }
    }

    private let rule: Rule
    private let format: LogFormat
    private let writer: LogWriter
    private let counts: LogCounts
    // Only the feed's thread uses these.
    private var time = LogTime()
    private var random: UInt64

    /// A log that writes to `writer`, and counts in `counts`. `seed` decides which calls are sampled.
    package init(_ rule: Rule, _ format: LogFormat, to writer: LogWriter, _ counts: LogCounts, seed: UInt64) {
        self.rule = rule
        self.format = format
        self.writer = writer
        self.counts = counts
        random = seed
    }

    /// Writes a line, if the rule says so.
    package func receive(_ event: borrowing CallEvent, _ names: CallNames) {
        let (isSlow, hasFailed) = (event.isSlow(from: rule.slow), event.hasFailed)
        guard isSlow || !rule.onlySlow, isSlow || hasFailed || isSampled() else { return }
        // A closure cannot have what is only borrowed.
        let event = copy event
        writer.append(counts) { line in
            switch format {
            case .json: line.append(json: event, names, isSlow: isSlow, &time)
            case .text: line.append(text: event, names, isSlow: isSlow, &time)
            }
        }
    }

    /// Writes the batch.
    package func flush(at now: Instant) { writer.flush(at: now) }

    /// Writes what there is; waits for a reader for a quarter of a second.
    package func finish() { writer.finish(until: .now() + .milliseconds(250)) }

    private func isSampled() -> Bool {
        guard rule.sample < 1 else { return true }
        // SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
        random &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (random ^ random >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Double((mixed ^ mixed >> 31) >> 11) * 0x1p-53 < rule.sample
    }
}

extension CallEvent {
    /// Anything but an answer of a server that is no error.
    package var hasFailed: Bool { outcome != .success || status >= 400 }

    /// Whether it took so many nanoseconds or more. A stream that a client listens on lasts as long as it likes.
    package func isSlow(from threshold: UInt64?) -> Bool {
        guard let threshold, !flags.contains(.listening) else { return false }
        return duration >= threshold
    }
}
