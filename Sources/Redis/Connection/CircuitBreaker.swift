package import Kernel

/// Keeps work from something that fails: closed while it works, open for a while after it has failed, then half open, when one
/// attempt finds out whether it works again. The time doubles with each attempt that fails, and each time that it fails again soon
/// after it worked: what comes and goes is not waited for each time that it goes.
package struct CircuitBreaker: Equatable, Sendable {
    /// What may be done.
    package enum Permit: Equatable, Sendable {
        /// Use it.
        case granted
        /// Do without it.
        case denied
        /// Do without it, but try it: this is the one attempt.
        case probe
    }

    /// What it is, for metrics.
    package enum State: UInt8, Equatable, Sendable, CaseIterable {
        case closed, halfOpen, open
    }

    /// Failures in a row that open it. Every one is a call that waits for the whole time limit, in each worker.
    private let threshold: Int
    private let shortest: Interval
    private let longest: Interval
    /// How long an attempt may take.
    private let probeTime: Interval
    /// How long it must have worked for the past to be forgotten.
    private let calm: Interval

    /// What it is now.
    package private(set) var state = State.closed
    /// Times it has opened.
    package private(set) var openings: UInt64 = 0
    private var failures = 0
    /// Times that it has opened without `calm` between them.
    private var attempts = 0
    /// From when on they are forgotten, if it is closed then.
    private var calmAt = Instant(nanoseconds: 0)
    /// When the next attempt may be made; when the present one is given up.
    private var until = Instant(nanoseconds: 0)

    /// A closed one.
    package init(
        threshold: Int = 2, shortest: Interval = .milliseconds(100), longest: Interval = .seconds(5),
        probeTime: Interval = .seconds(2), calm: Interval = .seconds(10)
    ) {
        self.threshold = max(1, threshold)
        self.shortest = shortest
        self.longest = longest
        self.probeTime = probeTime
        self.calm = calm
    }

    /// Asks for permission to use it. Whoever is granted one, or a probe, says what came of it.
    package mutating func permit(at now: Instant) -> Permit {
        switch state {
        case .closed: return .granted
        case .open:
            guard now >= until else { return .denied }
            state = .halfOpen
            until = now + probeTime
            return .probe
        case .halfOpen:
            // An attempt of which nobody has said anything has failed.
            if now >= until { open(at: now) }
            return .denied
        }
    }

    /// When it is worth asking again; nil: at any time.
    package var nextAttempt: Instant? { state == .closed ? nil : until }

    /// It has worked.
    package mutating func succeeded() {
        state = .closed
        failures = 0
    }

    /// It has not. `isCertain`: no need to try the next time, such as where nobody listens.
    package mutating func failed(at now: Instant, isCertain: Bool = false) {
        switch state {
        case .closed:
            failures += 1
            if isCertain || failures >= threshold { open(at: now) }
        case .halfOpen: open(at: now)
        // Of work that was begun before.
        case .open: break
        }
    }

    private mutating func open(at now: Instant) {
        if state == .closed, now >= calmAt { attempts = 0 }
        state = .open
        openings += 1
        failures = 0
        let doubled = shortest.nanoseconds.multipliedReportingOverflow(by: 1 << UInt64(min(attempts, 20)))
        let pause = doubled.overflow ? longest.nanoseconds : min(longest.nanoseconds, doubled.partialValue)
        attempts = min(attempts + 1, 20)
        until = now + Interval(nanoseconds: pause)
        calmAt = until + calm
    }
}
