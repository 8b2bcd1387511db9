import HTTP
import JSON
import Kernel
import Synchronization
import TLS

/// One run of a plan. Owns the threads that generate the load. Safe to use from several threads; stops when released.
package final class LoadRun: Sendable {
    /// The settings of the run.
    package let plan: LoadPlan
    private let statistics: Statistics
    private let assignments: [Assignment]
    private let measuring: Range<Instant>
    private let began: Double
    private let cpuAtStart = Mutex<(user: Double, system: Double)?>(nil)
    private let cpuAtEnd = Mutex<(user: Double, system: Double)?>(nil)

    /// Checks the plan, resolves the host, reads the certificates and starts the threads; the warm-up begins at once.
    /// Throws if any of these fails.
    package convenience init(_ plan: LoadPlan) throws(LoadError) {
        try self.init(plan, listing: nil, history: nil)
    }

    /// A run whose servers are disturbed while it goes on: `history` is told of it. Sessions may then move to another
    /// server, event streams that end are opened again, and the figures have a `trial`. Throws as `init(_:)`.
    package convenience init(_ plan: LoadPlan, history: ServerHistory) throws(LoadError) {
        try self.init(plan, listing: nil, history: history)
    }

    /// With `listing` it is a preflight, which ends after the first `tools/list`.
    init(_ plan: LoadPlan, listing: ToolListing?, history: ServerHistory? = nil) throws(LoadError) {
        try plan.check()
        Machine.raiseDescriptorLimit()
        let addresses = SocketAddress.resolve(host: plan.target.host, port: plan.target.port)
        guard !addresses.isEmpty else { throw LoadError("cannot find the host \"\(plan.target.host)\"") }
        let tls = try plan.tlsContext()
        let parts = plan.parts
        let start = Instant.now() + Interval(nanoseconds: UInt64(plan.warmUp * 1_000_000_000))
        measuring = start..<(start + Interval(nanoseconds: UInt64(plan.seconds * 1_000_000_000)))
        began = Double(WallClock.seconds()) + plan.warmUp
        self.plan = plan
        do {
            statistics = try Statistics(threads: parts.count)
        } catch {
            throw LoadError("\(error)")
        }
        var assignments: [Assignment] = []
        for (thread, parts) in parts.enumerated() {
            assignments.append(
                Assignment(
                    plan: plan, thread: thread, parts: parts, addresses: addresses, tls: tls, statistics: statistics,
                    measuring: measuring, listing: listing, history: history))
        }
        self.assignments = assignments
        for assignment in assignments { try LoadRun.launch(assignment) }
    }

    deinit { statistics.stop() }

    private static func launch(_ assignment: Assignment) throws(LoadError) {
        do {
            try Thread(named: "load-\(assignment.thread)") {
                do {
                    var engine = try Engine(assignment)
                    engine.run()
                } catch {
                    assignment.statistics.fail(LoadError("\(error)"))
                    assignment.statistics.threadEnded()
                }
            }.detach()
        } catch {
            assignment.statistics.stop()
            throw LoadError("\(error)")
        }
    }

    /// Ends the run early; the results are of what was measured so far.
    package func stop() { statistics.stop() }

    /// The results so far.
    package var figures: RunFigures { figures(withLatencies: true) }

    /// The counts and the series so far, without the distributions of latencies, which take long to make.
    package var counts: RunFigures { figures(withLatencies: false) }

    private func figures(withLatencies: Bool) -> RunFigures {
        sampleCPUTime()
        var figures = RunFigures(plan: PlanFigures(plan), began: began, seconds: measuredSeconds)
        statistics.fill(&figures, withLatencies: withLatencies)
        if let start = cpuAtStart.withLock({ $0 }) {
            let end = cpuAtEnd.withLock { $0 } ?? cpuSeconds()
            figures.userSeconds = end.user - start.user
            figures.systemSeconds = end.system - start.system
        }
        return figures
    }

    /// Seconds of measuring so far.
    private var measuredSeconds: Double {
        let now = min(statistics.ended ?? .now(), measuring.upperBound)
        return Double((now - measuring.lowerBound).nanoseconds) / 1_000_000_000
    }

    /// The part of the run's time that has passed, warm-up included: 0 to 1.
    package var progress: Double {
        let total = plan.warmUp + plan.seconds
        let left = Double((measuring.upperBound - Instant.now()).nanoseconds) / 1_000_000_000
        return min(1, max(0, 1 - left / total))
    }

    /// Whether all threads have ended.
    package var isOver: Bool {
        sampleCPUTime()
        return statistics.hasEnded
    }

    /// Waits until a thread has reported counters, or `milliseconds` have passed. Returns whether the run goes on.
    package func wait(milliseconds: Int32 = 1_000) -> Bool {
        if isOver { return false }
        statistics.changed.sleep(milliseconds: milliseconds)
        return !isOver
    }

    /// Waits for the end of the run. Throws if it could not begin: no address accepts connections, the TLS handshake
    /// fails, or the server does not speak HTTP/2.
    package func finish() throws(LoadError) -> RunFigures {
        while wait(milliseconds: 100) {}
        if let error = statistics.startFailure { throw error }
        return figures
    }

    /// Stores the process's CPU time when measuring begins and ends: at the first call after either.
    private func sampleCPUTime() {
        let now = Instant.now()
        if now >= measuring.lowerBound { cpuAtStart.withLock { if $0 == nil { $0 = cpuSeconds() } } }
        if now >= measuring.upperBound || statistics.isStopped {
            cpuAtEnd.withLock { if $0 == nil { $0 = cpuSeconds() } }
        }
    }
}

extension LoadPlan {
    /// Validates all settings. Throws with the first that is invalid.
    package func check() throws(LoadError) {
        guard !mix.isEmpty else { throw LoadError("there is no workload") }
        guard mix.allSatisfy({ $0.weight > 0 }) else { throw LoadError("a weight must be above 0") }
        guard 1...65_536 ~= connections else { throw LoadError("connections must be 1 to 65536") }
        guard 1...1_024 ~= depth else { throw LoadError("the depth must be 1 to 1024") }
        guard 1...64 ~= threads else { throw LoadError("threads must be 1 to 64") }
        guard sessions.map({ 1...1_000_000 ~= $0 }) ?? true else { throw LoadError("sessions must be 1 to 1000000") }
        guard callsPerSession >= 1 else { throw LoadError("a session must make at least 1 call") }
        guard rate.map({ $0 > 0 && $0 <= 10_000_000 }) ?? true else {
            throw LoadError("the rate must be above 0, and at most 10000000 a second")
        }
        guard seconds > 0, seconds <= 1_000_000, warmUp >= 0, warmUp <= 1_000_000 else {
            throw LoadError("the seconds must be above 0")
        }
        guard timeout > 0, timeout <= 86_400 else { throw LoadError("the timeout must be above 0, and at most a day") }
        guard 0...1_073_741_824 ~= bytes else { throw LoadError("bytes must be at most 1 GiB") }
        guard eventsPerSecond > 0, eventsPerSecond <= 1_000 else {
            throw LoadError("events per second must be above 0, and at most 1000")
        }
        try checkTexts()
    }

    /// Validates the texts that are copied into requests unchanged.
    private func checkTexts() throws(LoadError) {
        guard !tool.isEmpty else { throw LoadError("the tool has no name") }
        // The name is also the value of Mcp-Name (2026-07-28).
        guard tool.utf8.allSatisfy({ 0x20..<0x7f ~= $0 }) else { throw LoadError("the tool's name must be ASCII") }
        let text = Array(arguments.utf8)
        var reader = JSONReader()
        let isObject = reader.peek(text.span) == UInt8(ascii: "{")
        _ = reader.value(text.span)
        guard isObject, reader.isAtEnd(text.span) else {
            throw LoadError("the arguments are no JSON object: \(arguments)")
        }
        for header in headers {
            guard !header.name.isEmpty, header.name.utf8.allSatisfy(ByteClass.isToken) else {
                throw LoadError("\"\(header.name)\" is no name of a header")
            }
            guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                throw LoadError("the header \(header.name) has control characters")
            }
        }
    }

    fileprivate func tlsContext() throws(LoadError) -> TLSClientContext? {
        guard target.isSecure else { return nil }
        var options = TLSOptions()
        options.applicationProtocols = [transport == .http2 ? "h2" : "http/1.1"]
        do {
            return try TLSClientContext(trust: try trust.resolved(), options: options)
        } catch {
            throw LoadError("\(error)")
        }
    }
}

extension LoadPlan.Trust {
    fileprivate func resolved() throws -> TLSClientContext.Trust {
        switch self {
        case .system: .system
        case .anyone: .anyone
        case .file(let path): .certificates(try fileContents(path))
        }
    }
}

extension PlanFigures {
    init(_ plan: LoadPlan) {
        let workloads = plan.mix.map(\.workload.rawValue).joined(separator: " + ")
        let units = Set(plan.mix.map(\.workload.unit))
        self.init(
            name: plan.name.isEmpty ? workloads : plan.name, workload: workloads, url: plan.target.url,
            transport: plan.transport.rawValue + (plan.target.isSecure ? " over TLS" : ""),
            connections: plan.connections, depth: plan.transport == .http1 ? 1 : plan.depth, rate: plan.rate,
            unit: units.count == 1 ? units.first ?? "calls" : "calls")
        threads = plan.threads
    }
}
