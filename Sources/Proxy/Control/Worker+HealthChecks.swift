import Balancing
import HTTP
import Kernel
import Reactor
import Telemetry

/// Active health checks. They run on the control thread, so that a slow server delays no request, and over connections of
/// their own, so that a full pool does not look like a dead server. They never touch an MCP path: real servers make, and
/// some keep, a session for every such request without one.
extension Worker where Outside: ~Copyable {
    /// Begins to check the servers of the snapshot that are not checked yet, and ends the checks of those that are gone.
    mutating func updateHealthChecks() {
        guard control.runsHealthChecks else { return }
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
            }
        }
    }

    private mutating func endHealthCheck(_ server: Int) {
        guard let check = control.healthChecks[server] else { return }
        control.healthChecks[server] = nil
        closeUpstream(check.connection)
    }

    func healthCheckPlan(_ server: Int) -> HealthCheckPlan {
        servers.upstreams[servers.upstream(of: server)].plan.healthCheck
    }

    /// A server's next check is due.
    mutating func startHealthCheck(_ server: Int) {
        guard server < control.healthChecks.count, let check = control.healthChecks[server], !lifecycle.isDraining
        else {
            return
        }
        let plan = healthCheckPlan(server)
        let jitter = Interval(nanoseconds: io.world.random() % max(1, plan.interval.nanoseconds / 10))
        clock.timers.schedule(Token(.healthCheck, slot: server).raw, at: clock.now + plan.interval + jitter)
        guard !upstreams.contains(check.connection) else { return }
        let (result, address) = dial(server)
        switch result {
        case .failed(let code):
            let isResolved = !servers[server].plan.addresses.isEmpty
            recordHealthCheck(server, .failed(isResolved ? .connect(code) : .unresolved), code: code)
        case .started(let descriptor):
            var connection = UpstreamConnection(descriptor: descriptor, server: server, openedAt: clock.now)
            connection.phase = .healthCheck
            connection.address = address
            guard let handle = upstreams.insert(connection) else { return }
            control.healthChecks[server]?.connection = handle
            control.healthChecks[server]?.step = .connecting
            guard io.world.watch(descriptor, token: Token(.upstream, handle).raw) else {
                closeUpstream(handle)
                return
            }
            setDialDeadline(handle, limit: plan.timeout)
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
        guard healthCheckPlan(server).kind == .http else {
            finishHealthCheck(connection, .passed)
            return
        }
        composeHealthCheck(server)
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

    private mutating func composeHealthCheck(_ server: Int) {
        let plan = healthCheckPlan(server)
        io.composed.clear()
        io.composed.append("GET ")
        io.composed.append(plan.path)
        io.composed.append(" HTTP/1.1\r\nhost: ")
        io.composed.append(plan.host.isEmpty ? healthCheckHost(server) : plan.host)
        io.composed.append("\r\nuser-agent: berth-health-check\r\naccept: */*\r\nconnection: close\r\n\r\n")
    }

    /// Servers guard their Host, so a check says what the traffic says: a fixed name, or the server's own.
    private func healthCheckHost(_ server: Int) -> [UInt8] {
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
        let endsBody = isReading && control.healthChecks[server]?.body.endsWithConnection == true
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
        case .ended where endsBody: judgeHealthCheckBody(connection)
        case .ended, .failed: finishHealthCheck(connection, .failed(.closed))
        }
    }

    private mutating func readHealthCheckHead(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        while true {
            switch io.responseParser.parse(io.received, answering: .get, into: &io.responseHead) {
            case .incomplete:
                io.saveInput(&upstreams[connection].transport)
                return
            case .invalid:
                finishHealthCheck(connection, .failed(.invalidAnswer))
                return
            case .complete(let length):
                io.received.consume(length)
                if io.responseHead.isInformational { continue }
                let status = io.responseHead.status
                let plan = healthCheckPlan(server)
                guard plan.expectedStatus.contains(where: { $0.contains(status) }) else {
                    finishHealthCheck(connection, .failed(.status(status)))
                    return
                }
                guard !plan.expectedBody.isEmpty else {
                    finishHealthCheck(connection, .passed)
                    return
                }
                control.healthChecks[server]?.body = CheckBody(io.responseHead.framing, limit: Self.expectedBodyLimit)
                control.healthChecks[server]?.step = .reading
                readHealthCheckBody(connection)
                return
            }
        }
    }

    /// Bytes of a body in which the expected text must stand.
    private static var expectedBodyLimit: Int { 65_536 }

    private mutating func readHealthCheckBody(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        switch control.healthChecks[server]?.body.read(&io.received) {
        case .incomplete: io.saveInput(&upstreams[connection].transport)
        case .complete, .tooLong: judgeHealthCheckBody(connection)
        case .malformed, nil: finishHealthCheck(connection, .failed(.invalidAnswer))
        }
    }

    private mutating func judgeHealthCheckBody(_ connection: Handle) {
        let server = Int(upstreams[connection].server)
        let isFound = ExpectedText.isFound(
            healthCheckPlan(server).expectedBody, in: control.healthChecks[server]?.body.bytes ?? [])
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
        control.healthChecks[server]?.connection = .none
        control.healthChecks[server]?.body = CheckBody()
        closeUpstream(connection)
        recordHealthCheck(server, result, code: code)
    }

    private mutating func recordHealthCheck(_ server: Int, _ result: HealthCheckResult, code: CInt) {
        // Without a descriptor to look with, nothing was seen.
        if ErrorNumber.isOwnFault(code) { return }
        switch result {
        case .passed: recordHealth(server, .passed)
        case .failed(let problem): recordHealth(server, .failed, because: problem)
        }
    }
}
