import Balancing
import HTTP
import Kernel
import Reactor
import Telemetry

/// The state of one endpoint's health check.
struct HealthCheck {
    let server: Int
    var connection = Handle.none
    /// When the next check starts.
    var nextAt: Instant
}

/// Active checks. They run on the control thread, so that a slow server delays no request, and over connections of
/// their own, so that a full pool does not look like a dead server. They never touch an MCP path: real servers make,
/// and some keep, a session for every such request without one.
extension Worker where Outside: ~Copyable {
    mutating func scheduleHealthChecks() {
        for server in snapshot.servers.indices {
            let interval = snapshot.upstreams[snapshot.servers[server].upstream].healthCheck.interval
            // Spread over the interval, so that checks of many servers, or by many Berths, do not come in step.
            let offset = Interval(nanoseconds: io.world.random() % max(1, min(interval.nanoseconds, 500_000_000)))
            control.healthChecks.append(HealthCheck(server: server, nextAt: clock.now + offset))
            clock.timers.schedule(Token(.healthCheck, slot: server).raw, at: clock.now + offset)
        }
    }

    /// The reminder of an endpoint's next check.
    mutating func startHealthCheck(_ server: Int) {
        guard server < control.healthChecks.count, !lifecycle.isDraining else { return }
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].healthCheck
        let jitter = Interval(nanoseconds: io.world.random() % max(1, plan.interval.nanoseconds / 10))
        clock.timers.schedule(Token(.healthCheck, slot: server).raw, at: clock.now + plan.interval + jitter)
        guard !upstreams.contains(control.healthChecks[server].connection) else { return }
        switch io.world.dial(snapshot.servers[server].address) {
        case .failed(let code):
            recordHealthCheck(server, passed: false, code: code)
        case .started(let descriptor):
            var connection = UpstreamConnection(descriptor: descriptor, server: server, openedAt: clock.now)
            connection.phase = .healthChecking
            guard let u = upstreams.insert(connection) else { return }
            control.healthChecks[server].connection = u
            guard io.world.watch(descriptor, token: Token(.upstream, u).raw) else {
                dropUpstream(u)
                return
            }
            upstreams.setDeadline(u, clock.now + plan.timeout, &clock)
        }
    }

    mutating func healthCheckReady(_ u: Handle) {
        let server = Int(upstreams[u].server)
        let plan = snapshot.upstreams[snapshot.servers[server].upstream].healthCheck
        if upstreams[u].uses == 0 {
            let code = io.world.connectionError(upstreams[u].descriptor)
            guard code == 0 else {
                finishHealthCheck(u, passed: false, code: code)
                return
            }
            upstreams[u].uses = 1
            upstreams[u].mayWrite = true
            guard startHandshake(u, as: .healthChecking) else {
                ask(u, plan)
                return
            }
        }
        if upstreams[u].uses == 1 {
            switch stepHandshake(u) {
            case .pending: return
            case .done: ask(u, plan)
            case .failed: finishHealthCheck(u, passed: false, code: protocolErrorCode)
            }
            return
        }
        guard upstreams.contains(u), upstreams[u].mayRead else { return }
        readHealthCheckResponse(u)
    }

    /// The connection stands, TLS and all: that is a pass, or the time to ask.
    private mutating func ask(_ u: Handle, _ plan: HealthCheckPlan) {
        upstreams[u].uses = 2
        guard plan.kind == .http else {
            finishHealthCheck(u, passed: true)
            return
        }
        sendHealthCheck(u, plan)
        if upstreams.contains(u), upstreams[u].mayRead { readHealthCheckResponse(u) }
    }

    private mutating func sendHealthCheck(_ u: Handle, _ plan: HealthCheckPlan) {
        let server = Int(upstreams[u].server)
        io.composed.clear()
        io.composed.append("GET ")
        io.composed.append(plan.path)
        io.composed.append(" HTTP/1.1\r\nhost: ")
        io.composed.append(plan.host.isEmpty ? healthCheckHost(server) : plan.host)
        io.composed.append("\r\nuser-agent: berth-health-check\r\naccept: */*\r\nconnection: close\r\n\r\n")
        if upstreams[u].tls != nil, !encryptComposed(u) {
            io.composed.clear()
            finishHealthCheck(u, passed: false)
            return
        }
        let length = io.composed.count
        let outcome = io.world.send(upstreams[u].descriptor, io.composed)
        io.composed.clear()
        // So few bytes fit any socket buffer; one that takes less is not a healthy server's.
        if outcome != .moved(length) { finishHealthCheck(u, passed: false) }
    }

    /// Servers guard their Host, so a check says what the traffic says: a fixed name, or the server's own.
    private func healthCheckHost(_ server: Int) -> [UInt8] {
        if case .fixed(let name) = snapshot.upstreams[snapshot.servers[server].upstream].host { return name }
        return snapshot.servers[server].authority
    }

    private mutating func readHealthCheckResponse(_ u: Handle) {
        io.received.clear()
        io.received.append(upstreams[u].input)
        upstreams[u].input.clear()
        let (outcome, _) =
            upstreams[u].tls == nil
            ? io.world.receive(upstreams[u].descriptor, into: &io.received, room: Scratch.readBytes) : receiveSecure(u)
        defer { io.received.clear() }
        switch outcome {
        case .moved:
            upstreams[u].mayRead = upstreams[u].hasEnded
        case .wouldBlock:
            saveInput(upstream: u)
            return
        case .ended, .failed:
            finishHealthCheck(u, passed: false)
            return
        }
        switch io.responseParser.parse(io.received, answering: .get, into: &io.responseHead) {
        case .incomplete: saveInput(upstream: u)
        case .invalid: finishHealthCheck(u, passed: false)
        case .complete: finishHealthCheck(u, passed: io.responseHead.status >= 200 && io.responseHead.status < 400)
        }
    }

    /// The server took too long.
    mutating func healthCheckTimedOut(_ u: Handle) {
        finishHealthCheck(u, passed: false, code: timedOutCode)
    }

    private mutating func finishHealthCheck(_ u: Handle, passed: Bool, code: CInt = 0) {
        let server = Int(upstreams[u].server)
        control.healthChecks[server].connection = .none
        dropUpstream(u)
        recordHealthCheck(server, passed: passed, code: code)
    }

    private mutating func recordHealthCheck(_ server: Int, passed: Bool, code: CInt) {
        // Without a descriptor to look with, nothing was seen.
        if isOwnFault(code) { return }
        if code == refusedCode {
            metrics.store(.lastRefused, server: server, Int64(io.world.wallSeconds()))
        }
        record(passed ? .passed : .failed, server: server)
    }
}
