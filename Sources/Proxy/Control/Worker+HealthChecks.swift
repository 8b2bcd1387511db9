import Balancing
import HTTP
import Kernel
import Reactor
import Telemetry

/// Active health checks. They run on the control thread, so that a slow server delays no request, and over connections of
/// their own, so that a full pool does not look like a dead server. Only mcp checks touch an MCP path: real servers make,
/// and some keep, a session for every such request without one.
extension Worker where Outside: ~Copyable {
    /// Begins to check the servers of the snapshot that are not checked yet, and ends the checks of those that are gone.
    mutating func updateHealthChecks() {
        guard control.runsHealthChecks, !control.isEndingHealthChecks else { return }
        while control.healthChecks.count < servers.slots.upperBound { control.healthChecks.append(nil) }
        for server in servers.slots {
            let known = control.healthChecks[server]
            if servers[server].isRetired {
                endHealthCheck(server)
            } else if known?.server != servers[server].id {
                endHealthCheck(server)
                control.healthChecks[server] = HealthCheck(server: servers[server].id)
                // Spread over the interval, so that checks of many servers, or by many Berths, do not come in step.
                let interval = healthCheckPlan(server).interval.nanoseconds
                let offset = Interval(nanoseconds: io.world.random() % max(1, min(interval, 500_000_000)))
                clock.timers.schedule(Token(.healthCheck, slot: server).raw, at: clock.now + offset)
            } else {
                healthCheckPlanChanged(server)
            }
        }
    }

    /// A server is checked otherwise than before, perhaps.
    private mutating func healthCheckPlanChanged(_ server: Int) {
        let plan = healthCheckPlan(server)
        guard let mcp = control.healthChecks[server]?.mcp else { return }
        if plan.kind != .mcp || plan.path != mcp.path, mcp.session != nil { endHealthCheck(server) }
        if plan.kind != .mcp {
            metrics.store(.revisions, server: server, 0)
            metrics.store(.catalog, server: server, 0)
        }
    }

    private mutating func endHealthCheck(_ server: Int) {
        guard let check = control.healthChecks[server], !check.isEnding else { return }
        closeUpstream(check.connection)
        if check.server == servers[server].id, control.healthChecks[server]?.mcp.end() != nil {
            control.healthChecks[server]?.isEnding = true
            openHealthCheck(server)
        } else {
            control.healthChecks[server] = nil
        }
    }

    /// Ends all checks, and what servers keep for them: the process is about to leave.
    mutating func endHealthChecks() {
        control.isEndingHealthChecks = true
        for server in control.healthChecks.indices { endHealthCheck(server) }
        leaveAfterHealthChecks()
    }

    /// The last check has ended, if they are to.
    mutating func leaveAfterHealthChecks() {
        if control.isEndingHealthChecks, control.healthChecks.allSatisfy({ $0 == nil }) { lifecycle.isDone = true }
    }

    func healthCheckPlan(_ server: Int) -> HealthCheckPlan {
        servers.upstreams[servers.upstream(of: server)].plan.healthCheck
    }

    /// A server's next check is due.
    mutating func startHealthCheck(_ server: Int) {
        guard server < control.healthChecks.count, let check = control.healthChecks[server], !lifecycle.isDraining,
            !servers[server].isRetired, !control.isEndingHealthChecks
        else {
            return
        }
        let plan = healthCheckPlan(server)
        let jitter = Interval(nanoseconds: io.world.random() % max(1, plan.interval.nanoseconds / 10))
        clock.timers.schedule(Token(.healthCheck, slot: server).raw, at: clock.now + plan.interval + jitter)
        guard !check.isEnding, !upstreams.contains(check.connection) else { return }
        if plan.kind == .mcp { _ = control.healthChecks[server]?.mcp.begin(path: plan.path) }
        openHealthCheck(server)
    }

    /// Opens the connection for a request of a check.
    mutating func openHealthCheck(_ server: Int) {
        let (result, address) = dial(server)
        switch result {
        case .failed(let code):
            let isResolved = !servers[server].plan.addresses.isEmpty
            healthCheckEnded(server, .failed(isResolved ? .connect(code) : .unresolved), code: code)
        case .started(let descriptor):
            var connection = UpstreamConnection(descriptor: descriptor, server: server, openedAt: clock.now)
            connection.phase = .healthCheck
            connection.address = address
            guard let handle = upstreams.insert(connection) else { return }
            control.healthChecks[server]?.connection = handle
            control.healthChecks[server]?.step = .connecting
            control.healthChecks[server]?.response = CheckResponse()
            guard io.world.watch(descriptor, token: Token(.upstream, handle).raw) else {
                closeUpstream(handle)
                return
            }
            setDialDeadline(handle, limit: healthCheckPlan(server).timeout)
        }
    }

    mutating func healthCheckReady(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        guard let check = control.healthChecks[server], check.connection == connection else { return }
        switch check.step {
        case .connecting:
            let code = io.world.connectionError(upstreams[connection].transport.descriptor)
            guard code == 0 else {
                if redial(connection, limit: healthCheckPlan(server).timeout) == .begun { return }
                finishHealthCheck(connection, .failed(.connect(code)), code: code)
                return
            }
            upstreams[connection].transport.mayWrite = true
            noteGoodAddress(connection)
            upstreams.setDeadline(connection, clock.now + healthCheckPlan(server).timeout, &clock)
            if startHandshake(connection) == .needed {
                control.healthChecks[server]?.step = .handshaking
                healthCheckHandshake(connection)
            } else {
                askHealth(connection)
            }
        case .handshaking:
            healthCheckHandshake(connection)
        case .waiting, .reading:
            if flushHealthCheck(connection) == .failed {
                finishHealthCheck(connection, .failed(.closed))
            } else {
                readHealthCheckResponse(connection)
            }
        }
    }

    private mutating func healthCheckHandshake(_ connection: Handle) {
        switch stepHandshake(connection) {
        case .pending: break
        case .done: askHealth(connection)
        case .failed, .refused: finishHealthCheck(connection, .failed(.handshake))
        }
    }

    /// The connection can carry requests: that is a pass, or the time to ask.
    private mutating func askHealth(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        control.healthChecks[server]?.step = .waiting
        switch healthCheckRequest(server) {
        case .none:
            finishHealthCheck(connection, .passed)
            return
        case .get: composeHealthCheck(server)
        case .mcp: composeMCPCheck(server)
        }
        switch io.write(&upstreams[connection].transport) {
        case .written, .blocked: readHealthCheckResponse(connection)
        case .refused, .failed: finishHealthCheck(connection, .failed(.closed))
        }
    }

    /// Sends what the socket has not taken yet of the request.
    private mutating func flushHealthCheck(_ connection: Handle) -> FlushResult {
        guard !upstreams[connection].transport.output.isEmpty, upstreams[connection].transport.mayWrite else {
            return .flushed
        }
        return io.flush(&upstreams[connection].transport)
    }

    /// What a check sends on its connection.
    private enum CheckRequest { case none, get, mcp }

    private func healthCheckRequest(_ server: Int) -> CheckRequest {
        // What is ended was begun by an mcp check, whatever the checks are now.
        if control.healthChecks[server]?.isEnding == true { return .mcp }
        return switch healthCheckPlan(server).kind {
        case .tcp: .none
        case .http: .get
        case .mcp: .mcp
        }
    }

    private mutating func composeHealthCheck(_ server: Int) {
        let plan = healthCheckPlan(server)
        io.composed.clear()
        io.composed.append("GET ")
        io.composed.append(plan.path)
        io.composed.append(" HTTP/1.1\r\nhost: ")
        io.composed.append(healthCheckHost(server))
        io.composed.append("\r\nuser-agent: berth-health-check\r\naccept: */*\r\nconnection: close\r\n\r\n")
    }

    /// Servers guard their Host, so a check says what the traffic says: a fixed name, or the server's own.
    func healthCheckHost(_ server: Int) -> [UInt8] {
        if !healthCheckPlan(server).host.isEmpty { return healthCheckPlan(server).host }
        if case .fixed(let name) = servers.upstreams[servers.upstream(of: server)].plan.host { return name }
        return servers[server].plan.authority
    }

    /// Reads as long as there is something and the check goes on: what is read is bounded.
    private mutating func readHealthCheckResponse(_ connection: Handle) {
        while upstreams.contains(connection), upstreams[connection].transport.mayRead {
            receiveHealthCheckResponse(connection)
            io.received.clear()
        }
    }

    private mutating func receiveHealthCheckResponse(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let isReading = control.healthChecks[server]?.step == .reading
        let endsBody = isReading && control.healthChecks[server]?.response.body.endsWithConnection == true
        io.received.clear()
        io.restoreInput(&upstreams[connection].transport)
        let outcome =
            !upstreams.usesTLS(connection)
            ? io.receive(&upstreams[connection].transport)
            : upstreams.receiveDecrypted(connection, atMost: Scratch.readBytes, endsBody: endsBody, &io).outcome
        switch outcome {
        case .moved:
            if isReading { readHealthCheckBody(connection) } else { readHealthCheckHead(connection) }
        case .wouldBlock:
            upstreams[connection].transport.mayRead = false
            io.saveInput(&upstreams[connection].transport)
        case .ended where endsBody: judgeHealthCheck(connection)
        case .ended, .failed: finishHealthCheck(connection, .failed(.closed))
        }
    }

    private mutating func readHealthCheckHead(_ connection: Handle) {
        while true {
            switch io.responseParser.parse(io.received, answering: .get, into: &io.responseHead) {
            case .incomplete:
                io.saveInput(&upstreams[connection].transport)
                return
            case .invalid:
                finishHealthCheck(connection, .failed(.invalidAnswer))
                return
            case .complete(let length):
                let isInterim = io.responseHead.isInformational
                if !isInterim { noteHealthCheckHead(connection) }
                io.received.consume(length)
                if isInterim { continue }
                if upstreams.contains(connection) { readHealthCheckBody(connection) }
                return
            }
        }
    }

    /// Takes what matters of the head in the scratch, and judges it if that can be done without a body.
    private mutating func noteHealthCheckHead(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let request = healthCheckRequest(server)
        let status = io.responseHead.status
        if request == .get, !healthCheckPlan(server).expectedStatus.contains(where: { $0.contains(status) }) {
            finishHealthCheck(connection, .failed(.status(status)))
            return
        }
        if request == .get, healthCheckPlan(server).expectedBody.isEmpty {
            finishHealthCheck(connection, .passed)
            return
        }
        var response = CheckResponse()
        response.status = status
        response.sessionID = io.responseHead.sessionID.map { io.received.bytes($0.range) }
        response.isEventStream = io.responseHead.isEventStream
        let limit = request == .get ? Self.expectedBodyLimit : Self.messageLimit
        response.body = CheckBody(io.responseHead.framing, limit: limit)
        control.healthChecks[server]?.response = response
        control.healthChecks[server]?.step = .reading
    }

    /// Bytes of a body in which the expected text must stand.
    private static var expectedBodyLimit: Int { 65_536 }
    /// Bytes of a message of MCP, the list of tools among them.
    private static var messageLimit: Int { 1 << 20 }

    private mutating func readHealthCheckBody(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        switch control.healthChecks[server]?.response.body.read(&io.received) {
        case .incomplete:
            io.saveInput(&upstreams[connection].transport)
            if healthCheckRequest(server) == .mcp { judgeMCPEvents(connection) }
        case .complete, .tooLong: judgeHealthCheck(connection)
        case .malformed, nil: finishHealthCheck(connection, .failed(.invalidAnswer))
        }
    }

    /// All of the response is here, or as much as is looked at.
    private mutating func judgeHealthCheck(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        if healthCheckRequest(server) == .mcp {
            judgeMCPAnswer(connection)
            return
        }
        let isFound = ExpectedText.isFound(
            healthCheckPlan(server).expectedBody, in: control.healthChecks[server]?.response.body.bytes ?? [])
        finishHealthCheck(connection, isFound ? .passed : .failed(.unexpectedBody))
    }

    /// The server took too long.
    mutating func healthCheckTimedOut(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let limit = healthCheckPlan(server).timeout
        if control.healthChecks[server]?.step == .connecting, redial(connection, limit: limit) == .begun { return }
        let problem: HealthProblem =
            switch control.healthChecks[server]?.step {
            case .connecting, nil: .connectTimedOut(limit)
            case .handshaking: .handshakeTimedOut(limit)
            case .waiting, .reading: .noAnswer(limit)
            }
        finishHealthCheck(connection, .failed(problem), code: ErrorNumber.timedOut)
    }

    private mutating func finishHealthCheck(_ connection: Handle, _ result: HealthCheckResult, code: CInt = 0) {
        let server = Int(upstreams[connection].server)
        closeHealthCheck(connection)
        healthCheckEnded(server, result, code: code)
    }

    mutating func closeHealthCheck(_ connection: Handle) {
        control.healthChecks[Int(upstreams[connection].server)]?.connection = .none
        control.healthChecks[Int(upstreams[connection].server)]?.response = CheckResponse()
        closeUpstream(connection)
    }

    /// A check, or one request of it, is over.
    private mutating func healthCheckEnded(_ server: Int, _ result: HealthCheckResult, code: CInt) {
        // Without a descriptor to look with, nothing was seen.
        if ErrorNumber.isOwnFault(code), control.healthChecks[server]?.isEnding != true { return }
        metrics.store(.checkedAt, server: server, Int64(clamping: clock.now.nanoseconds))
        switch result {
        case .passed: recordHealth(server, .passed)
        case .failed(let problem) where healthCheckRequest(server) == .mcp: interruptMCPCheck(server, problem)
        case .failed(let problem): recordHealth(server, .failed, because: problem)
        }
    }
}
