import Histogram

/// The counts of one thread since it last reported them to `Statistics`.
struct Counters {
    /// Calls that passed all checks while measuring.
    var completed: UInt64 = 0
    /// By `WrongAnswer.index`.
    var wrong = InlineArray<8, UInt64>(repeating: 0)
    var failed: [Failure: UInt64] = [:]
    /// The first wrong answers and failures in words, at most `exampleLimit`.
    var examples: [String] = []
    var bytesReceived: UInt64 = 0
    var bytesSent: UInt64 = 0
    var connectionsOpened: UInt64 = 0
    /// TLS handshakes that resumed a session.
    var handshakesResumed: UInt64 = 0
    /// Latencies in units of 100 ns.
    var latency = Counters.emptyHistogram()
    /// Nil in runs whose servers are left alone.
    var trial: TrialCounters?

    static let exampleLimit = 20

    /// A histogram for values up to an hour, with three significant digits.
    static func emptyHistogram() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: 36_000_000_000, numberOfSignificantValueDigits: .three)
    }

    var wrongCount: UInt64 {
        var sum: UInt64 = 0
        for index in 0..<8 { sum += wrong[index] }
        return sum
    }
    var failedCount: UInt64 { failed.values.reduce(0, +) }

    mutating func count(_ kind: WrongAnswer, _ count: UInt64 = 1) {
        wrong[kind.index] &+= count
    }

    mutating func count(_ failure: Failure) { failed[failure, default: 0] &+= 1 }

    /// Keeps an example, unless there are enough.
    mutating func addExample(_ example: @autoclosure () -> String) {
        if examples.count < Counters.exampleLimit { examples.append(example()) }
    }

    mutating func add(_ other: Counters) {
        completed += other.completed
        for index in 0..<8 { wrong[index] += other.wrong[index] }
        failed.merge(other.failed, uniquingKeysWith: +)
        for example in other.examples { addExample(example) }
        bytesReceived += other.bytesReceived
        bytesSent += other.bytesSent
        connectionsOpened += other.connectionsOpened
        handshakesResumed += other.handshakesResumed
        latency.add(other.latency)
        guard let added = other.trial else { return }
        if trial == nil { trial = TrialCounters() }
        trial?.add(added)
    }

    /// Sets all counts to 0 and keeps the memory.
    mutating func clear() {
        completed = 0
        wrong = InlineArray(repeating: 0)
        failed.removeAll(keepingCapacity: true)
        examples.removeAll(keepingCapacity: true)
        (bytesReceived, bytesSent, connectionsOpened, handshakesResumed) = (0, 0, 0, 0)
        latency.reset()
        trial?.clear()
    }
}

extension WrongAnswer {
    /// Index into `Counters.wrong`.
    var index: Int {
        switch self {
        case .strayed: 0
        case .miscounted: 1
        case .foreignID: 2
        case .answeredTwice: 3
        case .gap: 4
        case .duplicate: 5
        case .damaged: 6
        case .malformed: 7
        }
    }
}
