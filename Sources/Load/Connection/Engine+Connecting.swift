import Kernel
import Reactor

// How connections come to be and go.
extension Engine {
    private static let restAfterFailure = Interval.milliseconds(100)

    /// Begins to connect. What comes of it is heard later.
    mutating func dial(_ c: Handle) {
        let target = assignment.addresses[address]
        connections[c].phase = .dialling
        connections[c].deadline = now + timeout
        connections[c].incarnation &+= 1
        switch world.dial(target) {
        case .failed(let code): couldNotConnect(c, code)
        case .started(let descriptor):
            connections[c].descriptor = descriptor
            let token = UInt64(connections[c].incarnation) << 32 | UInt64(c.slot)
            // The only reason to refuse is a lack of memory.
            if !world.watch(descriptor, token: token) { couldNotConnect(c, 12) }
        }
    }

    /// An event of the poller.
    mutating func hear(_ token: UInt64, _ readiness: Readiness) {
        guard let c = connections.handle(inSlot: Int(token & 0xffff_ffff)),
            connections[c].incarnation == UInt32(truncatingIfNeeded: token >> 32),
            connections[c].descriptor != .none
        else { return }
        if connections[c].phase == .dialling {
            guard readiness.isWritable || readiness.hasFailed || readiness.hasEnded else { return }
            let code = world.connectionError(connections[c].descriptor)
            if code != 0 { return couldNotConnect(c, code) }
            connected(c)
            guard connections[c].phase != .closed else { return }
        }
        if readiness.isReadable { connections[c].mayRead = true }
        if readiness.hasEnded || readiness.hasFailed {
            connections[c].hasEnded = true
            connections[c].mayRead = true
        }
        if readiness.isWritable, !connections[c].output.isEmpty {
            flush(c)
            if connections[c].http2 != nil { markUnsettled(c) }
        }
        if connections[c].mayRead { read(c) }
    }

    private mutating func connected(_ c: Handle) {
        counters.connectionsOpened &+= 1
        connections[c].deadline = now + timeout
        if assignment.tls != nil {
            connections[c].phase = .handshaking
            startHandshake(c)
        } else {
            opened(c)
        }
    }

    /// Requests may be sent from now on.
    mutating func opened(_ c: Handle) {
        connections[c].phase = .open
        connections[c].deadline = .never
        connections[c].answers = 0
        connections[c].response = ResponseReader()
        hasEverOpened = true
        if speaksHTTP2, !beginHTTP2(c) { return lose(c, .unreachable(12)) }
        let call = connections[c].call
        if calls.contains(call) {
            connections[c].load = 0
            return send(call, over: c)
        }
        for _ in 0..<groups[connections[c].group].depth { makeFree(c) }
    }

    /// No connection came about.
    mutating func couldNotConnect(_ c: Handle, _ code: CInt) {
        let target = assignment.addresses[address]
        guard hasEverOpened else { return tryElsewhere(c, "\(target): \(systemText(code))") }
        // ECONNREFUSED
        let failure: Failure = code == 111 ? .refused : .unreachable(code)
        counters.note("\(failure.text) by \(target)")
        lose(c, failure)
    }

    /// The very first connection failed: the next address may be better, and if there is none, nothing can be measured.
    mutating func tryElsewhere(_ c: Handle, _ reason: String) {
        let call = connections[c].call
        drop(c)
        if address + 1 < assignment.addresses.count {
            address += 1
            connections[c].call = call
            return dial(c)
        }
        statistics.fail(LoadError("cannot connect to \(reason)"))
    }

    /// The connection is of no more use: what was under way on it has failed with it, and it is dialled again.
    mutating func lose(_ c: Handle, _ failure: Failure) {
        let wasUseful = connections[c].answers > 0
        let call = connections[c].call
        let wasOpening = connections[c].phase != .open
        let carriedAny = connections[c].load > 0
        drop(c)
        if speaksHTTP2, carriedAny {
            failAll(c, failure)
        } else if calls.contains(call) {
            exchangeFailed(call, failure)
        } else if !wasUseful, phase != .ending {
            counters.count(failure)
        }
        renew(c, atOnce: wasUseful && !wasOpening)
    }

    /// Every call that was under way on the connection has failed.
    private mutating func failAll(_ c: Handle, _ failure: Failure) {
        for slot in 0..<calls.slots {
            guard let call = calls.handle(inSlot: slot), calls[call].connection == c else { continue }
            calls[call].connection = .none
            exchangeFailed(call, failure)
        }
    }

    /// Gives a connection that was closed a new socket, or lets it wait for a call that needs one.
    mutating func renew(_ c: Handle, atOnce: Bool) {
        guard phase != .ending || hasMoreToSay(connections[c].group) || !unsent.isEmpty else { return }
        let group = connections[c].group
        // Those of streams are dialled when their session wants one.
        guard groups[group].connections.contains(Int(c.slot)) else { return }
        if groups[group].workload == .churn, atOnce { return makeFree(c) }
        if atOnce { return dial(c) }
        connections[c].phase = .resting
        resting.append((c, now + Engine.restAfterFailure))
    }

    /// Sessions say goodbye once the run is over, and need connections for it.
    private func hasMoreToSay(_ group: Int) -> Bool { !groups[group].workload.isStateless }

    /// Closes the socket and forgets all that was to be read or sent.
    mutating func drop(_ c: Handle) {
        if connections[c].descriptor != .none {
            world.close(connections[c].descriptor, reset: false)
            keepTicket(c)
        }
        connections[c].descriptor = .none
        connections[c].tls = nil
        connections[c].http2 = nil
        connections[c].isLeaving = false
        connections[c].phase = .closed
        connections[c].deadline = .never
        connections[c].input.clear()
        connections[c].output.clear()
        connections[c].call = .none
        connections[c].load = 0
        connections[c].hasEnded = false
        connections[c].mayRead = false
    }

    mutating func wakeRested() {
        var count = 0
        while count < resting.count, resting[count].until <= now {
            let c = resting[count].connection
            count += 1
            guard connections[c].phase == .resting else { continue }
            if groups[connections[c].group].workload == .churn {
                connections[c].phase = .closed
                makeFree(c)
            } else {
                dial(c)
            }
        }
        resting.removeFirst(count)
    }

    mutating func expireConnections() {
        for slot in 0..<connections.slots {
            let c = connection(inSlot: slot)
            guard connections[c].deadline <= now else { continue }
            if connections[c].phase == .dialling || connections[c].phase == .handshaking {
                // ETIMEDOUT
                couldNotConnect(c, 110)
            } else {
                // It waited for a good-bye that did not come.
                drop(c)
                renew(c, atOnce: true)
            }
        }
    }
}
