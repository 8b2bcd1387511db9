import Balancing
import HTTP
import Kernel
import Reactor
import Telemetry

/// The state of one endpoint's health check.
struct Probe {
    let endpoint: Int
    var connection = Handle.none
    /// When the next check starts.
    var nextAt: Instant
}

/// Active checks. They run on the control thread, so that a slow server delays no request, and over connections of
/// their own, so that a full pool does not look like a dead server. They never touch an MCP path: real servers make,
/// and some keep, a session for every such request without one.
extension Worker where Outside: ~Copyable {
    mutating func beginProbing() {
        for endpoint in snapshot.endpoints.indices {
            let every = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].probe.every
            // Spread over the interval, so that checks of many servers, or by many Berths, do not come in step.
            let offset = Interval(nanoseconds: world.random() % max(1, min(every.nanoseconds, 500_000_000)))
            probes.append(Probe(endpoint: endpoint, nextAt: now + offset))
            timers.schedule(Token(.probe, slot: endpoint).raw, at: now + offset)
        }
    }

    /// The reminder of an endpoint's next check.
    mutating func probeTurn(_ endpoint: Int) {
        guard endpoint < probes.count, !isDraining else { return }
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].probe
        let jitter = Interval(nanoseconds: world.random() % max(1, plan.every.nanoseconds / 10))
        timers.schedule(Token(.probe, slot: endpoint).raw, at: now + plan.every + jitter)
        guard !upstreams.contains(probes[endpoint].connection) else { return }
        switch world.dial(snapshot.endpoints[endpoint].address) {
        case .failed(let code):
            concludeProbe(endpoint, passed: false, code: code)
        case .started(let descriptor):
            var connection = UpstreamConnection(descriptor: descriptor, endpoint: endpoint, openedAt: now)
            connection.phase = .probing
            guard let u = upstreams.insert(connection) else { return }
            probes[endpoint].connection = u
            guard world.watch(descriptor, token: Token(.upstream, u).raw) else {
                dropUpstream(u)
                return
            }
            setDeadline(upstream: u, now + plan.timeout)
        }
    }

    mutating func probeReady(_ u: Handle) {
        let endpoint = Int(upstreams[u].endpoint)
        let plan = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].probe
        if upstreams[u].uses == 0 {
            let code = world.connectionError(upstreams[u].descriptor)
            guard code == 0 else {
                endProbe(u, passed: false, code: code)
                return
            }
            upstreams[u].uses = 1
            upstreams[u].mayWrite = true
            guard beginSecuring(u, as: .probing) else {
                ask(u, plan)
                return
            }
        }
        if upstreams[u].uses == 1 {
            switch goOnSecuring(u) {
            case .goesOn: return
            case .done: ask(u, plan)
            case .failed: endProbe(u, passed: false, code: protocolErrorCode)
            }
            return
        }
        guard upstreams.contains(u), upstreams[u].mayRead else { return }
        readProbe(u)
    }

    /// The connection stands, TLS and all: that is a pass, or the time to ask.
    private mutating func ask(_ u: Handle, _ plan: ProbePlan) {
        upstreams[u].uses = 2
        guard plan.kind == .http else {
            endProbe(u, passed: true)
            return
        }
        sendProbe(u, plan)
        if upstreams.contains(u), upstreams[u].mayRead { readProbe(u) }
    }

    private mutating func sendProbe(_ u: Handle, _ plan: ProbePlan) {
        let endpoint = Int(upstreams[u].endpoint)
        composed.clear()
        composed.append("GET ")
        composed.append(plan.path)
        composed.append(" HTTP/1.1\r\nhost: ")
        composed.append(plan.host.isEmpty ? probeHost(endpoint) : plan.host)
        composed.append("\r\nuser-agent: berth-health-check\r\naccept: */*\r\nconnection: close\r\n\r\n")
        if upstreams[u].tls != nil, !encryptComposed(u) {
            composed.clear()
            endProbe(u, passed: false)
            return
        }
        let length = composed.count
        let outcome = world.send(upstreams[u].descriptor, composed)
        composed.clear()
        // So few bytes fit any socket buffer; one that takes less is not a healthy server's.
        if outcome != .moved(length) { endProbe(u, passed: false) }
    }

    /// Servers guard their Host, so a check says what the traffic says: a fixed name, or the server's own.
    private func probeHost(_ endpoint: Int) -> [UInt8] {
        if case .fixed(let name) = snapshot.upstreams[snapshot.endpoints[endpoint].upstream].host { return name }
        return snapshot.endpoints[endpoint].authority
    }

    private mutating func readProbe(_ u: Handle) {
        received.clear()
        received.append(upstreams[u].input)
        upstreams[u].input.clear()
        let (outcome, _) =
            upstreams[u].tls == nil
            ? world.receive(upstreams[u].descriptor, into: &received, room: Worker.readBytes) : receiveSecure(u)
        defer { received.clear() }
        switch outcome {
        case .moved:
            upstreams[u].mayRead = upstreams[u].hasEnded
        case .wouldBlock:
            stash(upstream: u)
            return
        case .ended, .failed:
            endProbe(u, passed: false)
            return
        }
        switch responseParser.parse(received, answering: .get, into: &responseHead) {
        case .incomplete: stash(upstream: u)
        case .invalid: endProbe(u, passed: false)
        case .complete: endProbe(u, passed: responseHead.status >= 200 && responseHead.status < 400)
        }
    }

    /// The server took too long.
    mutating func probeDue(_ u: Handle) {
        endProbe(u, passed: false, code: timedOutCode)
    }

    private mutating func endProbe(_ u: Handle, passed: Bool, code: CInt = 0) {
        let endpoint = Int(upstreams[u].endpoint)
        probes[endpoint].connection = .none
        dropUpstream(u)
        concludeProbe(endpoint, passed: passed, code: code)
    }

    private mutating func concludeProbe(_ endpoint: Int, passed: Bool, code: CInt) {
        // Without a descriptor to look with, nothing was seen.
        if isOwnFault(code) { return }
        if code == refusedCode {
            board.store(.lastRefused, endpoint: endpoint, Int64(world.wallSeconds()))
        }
        record(passed ? .passed : .failed, endpoint: endpoint)
    }
}
