/// What is done when: an endless sequence that depends on nothing but its seed and the number of servers.
///
/// Two things go on side by side: one server after the other is killed, stopped, restarted or drained, and the balancer
/// is reloaded, upgraded or given new keys. All servers but one are always left alone.
package struct ProveSchedule: Sendable {
    /// A disturbance and its time, in seconds from the start.
    package struct Step: Equatable, Sendable {
        /// Seconds from the start.
        package let at: Double
        /// What is done.
        package let disturbance: Disturbance

        package init(at: Double, _ disturbance: Disturbance) {
            self.at = at
            self.disturbance = disturbance
        }
    }

    private let servers: Int
    private let pace: Double
    private var serverDraw: SeededDraw
    private var frontDraw: SeededDraw
    private var serverSteps: [Step] = []
    private var frontSteps: [Step] = []
    private var serverTime: Double
    private var frontTime: Double
    private var reloads = 0
    private let only: Set<Disturbance.Kind>?

    /// `servers`: at least 1; a single one is left alone. `pace`: what all pauses are multiplied with. `only`: the kinds
    /// that it may consist of; nil for all.
    package init(seed: UInt64, servers: Int, pace: Double = 1, only: Set<Disturbance.Kind>? = nil) {
        self.servers = servers
        self.pace = pace
        self.only = only
        serverDraw = SeededDraw(seed: seed)
        frontDraw = SeededDraw(seed: seed ^ 0x5deece66d)
        // The beginning is quiet, to have something to compare with.
        (serverTime, frontTime) = (3, 4)
    }

    /// The next step; times never decrease. Nil if nothing can ever be done.
    package mutating func next() -> Step? {
        for _ in 0..<1_000 {
            if serverSteps.isEmpty, servers > 1 { appendServerSteps() }
            if frontSteps.isEmpty { appendFrontStep() }
            let isServer = (serverSteps.first?.at ?? .infinity) <= (frontSteps.first?.at ?? .infinity)
            let step = isServer ? serverSteps.removeFirst() : frontSteps.removeFirst()
            // Multiplied last, so that the pace changes no order.
            if isAllowed(step.disturbance) { return Step(at: step.at * pace, step.disturbance) }
        }
        return nil
    }

    private func isAllowed(_ disturbance: Disturbance) -> Bool {
        guard let only else { return true }
        switch disturbance {
        case .start: return only.contains(.kill) || only.contains(.restart)
        case .resume: return only.contains(.stop)
        case .undrain: return only.contains(.drain) || only.contains(.restart)
        default: return disturbance.kind.map { only.contains($0) } ?? true
        }
    }

    /// One server is disturbed, and whole again at the end.
    private mutating func appendServerSteps() {
        let server = serverDraw.number(below: servers)
        var time = serverTime
        func step(after seconds: Double, _ disturbance: Disturbance) -> Step {
            time += seconds
            return Step(at: time, disturbance)
        }
        let kinds: [Disturbance.Kind] = [.kill, .kill, .kill, .stop, .stop, .restart, .restart, .drain]
        let allowed = kinds.filter { only?.contains($0) ?? true }
        let choice = serverDraw.number(below: kinds.count)
        let length = serverDraw.seconds(in: 0.5...3)
        switch allowed.isEmpty ? .drain : allowed[choice % allowed.count] {
        case .stop: serverSteps = [step(after: 0, .stop(server)), step(after: length + 0.5, .resume(server))]
        case .restart:
            serverSteps = [
                step(after: 0, .drain(server)), step(after: length + 1, .terminate(server)),
                step(after: 0.5, .start(server)), step(after: 0.5, .undrain(server)),
            ]
        case .drain: serverSteps = [step(after: 0, .drain(server)), step(after: length + 1, .undrain(server))]
        default: serverSteps = [step(after: 0, .kill(server)), step(after: length, .start(server))]
        }
        // Long enough for health checks to find the server well before the next one is disturbed.
        serverTime = time + serverDraw.seconds(in: 2...4)
    }

    private mutating func appendFrontStep() {
        let kinds: [Disturbance.Kind] =
            Array(repeating: .reload, count: 5) + [
                .rotateKey, .rotateCertificate, .rotateCertificate, .upgrade, .upgrade,
            ]
        let allowed = kinds.filter { only?.contains($0) ?? true }
        let choice = frontDraw.number(below: kinds.count)
        let workers = 1 + frontDraw.number(below: 3)
        let disturbance: Disturbance
        switch allowed.isEmpty ? .reload : allowed[choice % allowed.count] {
        case .rotateKey: disturbance = .rotateKey
        case .rotateCertificate: disturbance = .rotateCertificate
        case .upgrade: disturbance = .upgrade(workers: workers)
        default:
            reloads += 1
            disturbance = .reload(changes: reloads.isMultiple(of: 2))
        }
        frontSteps = [Step(at: frontTime, disturbance)]
        frontTime += frontDraw.seconds(in: 1.5...5)
    }
}

/// Numbers drawn from a seed, the same in every version of Swift (SplitMix64).
struct SeededDraw: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// 0 to `limit` - 1; `limit` is above 0.
    mutating func number(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// In steps of a millisecond.
    mutating func seconds(in range: ClosedRange<Double>) -> Double {
        let steps = Int((range.upperBound - range.lowerBound) * 1_000)
        return range.lowerBound + Double(number(below: steps + 1)) / 1_000
    }
}
