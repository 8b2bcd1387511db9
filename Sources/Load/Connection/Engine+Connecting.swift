import Kernel
import Reactor

// Opening, losing and reopening connections.
extension Engine {
    private static let reconnectDelay = Interval.milliseconds(100)

    /// Begins to connect. `handleSocketEvent` receives the result.
    mutating func dial(_ c: Handle) {
        let target = assignment.addresses[address]
        connections[c].phase = .dialling
        connections[c].deadline = now + timeout
        connections[c].incarnation &+= 1
        switch world.dial(target) {
        case .failed(let code): connectFailed(c, code)
        case .started(let descriptor):
            connections[c].descriptor = descriptor
            let token = UInt64(connections[c].incarnation) << 32 | UInt64(c.slot)
            // epoll_ctl fails only for lack of memory here.
            if !world.watch(descriptor, token: token) { connectFailed(c, ErrorNumber.outOfMemory) }
        }
    }

    /// Handles one event of epoll. `token`: the connection's incarnation in the upper 32 bits, its slot in the lower.
    mutating func handleSocketEvent(_ token: UInt64, _ readiness: Readiness) {
        guard let c = connections.handle(inSlot: Int(token & 0xffff_ffff)),
            connections[c].incarnation == UInt32(truncatingIfNeeded: token >> 32),
            connections[c].descriptor != .none
        else { return }
        if connections[c].phase == .dialling {
            guard readiness.isWritable || readiness.hasFailed || readiness.hasEnded else { return }
            let code = world.connectionError(connections[c].descriptor)
            if code != 0 { return connectFailed(c, code) }
            connectionEstablished(c)
            guard connections[c].phase != .closed else { return }
        }
        if readiness.isReadable { connections[c].mayRead = true }
        if readiness.hasEnded || readiness.hasFailed {
            connections[c].hasEnded = true
            connections[c].mayRead = true
        }
        if readiness.isWritable, !connections[c].output.isEmpty {
            flush(c)
            if connections[c].http2 != nil { requestFlush(c) }
        }
        if connections[c].mayRead { read(c) }
    }

    /// The TCP connection is established: TLS begins, or the connection is ready.
    private mutating func connectionEstablished(_ c: Handle) {
        counters.connectionsOpened &+= 1
        connections[c].deadline = now + timeout
        if assignment.tls != nil {
            connections[c].phase = .handshaking
            startHandshake(c)
        } else {
            connectionReady(c)
        }
    }

    /// Requests may be sent over the connection from now on.
    mutating func connectionReady(_ c: Handle) {
        connections[c].phase = .open
        connections[c].deadline = .never
        connections[c].responses = 0
        connections[c].response = ResponseReader()
        hasEverOpened = true
        if speaksHTTP2, !startHTTP2(c) { return failConnection(c, .unreachable(12)) }
        let call = connections[c].call
        if calls.contains(call) {
            connections[c].load = 0
            return send(call, over: c)
        }
        for _ in 0..<groups[connections[c].group].depth { markFree(c) }
    }

    /// The connection was not established. `code`: an errno.
    mutating func connectFailed(_ c: Handle, _ code: CInt) {
        let target = assignment.addresses[address]
        guard hasEverOpened else { return connectToNextAddress(c, "\(target): \(errnoText(code))") }
        let failure: Failure = code == ErrorNumber.refused ? .refused : .unreachable(code)
        counters.addExample("\(failure.text) by \(target)")
        failConnection(c, failure)
    }

    /// No connection was ever open: tries the next address of the host. Ends the run if there is none.
    mutating func connectToNextAddress(_ c: Handle, _ reason: String) {
        let call = connections[c].call
        closeSocket(c)
        if address + 1 < assignment.addresses.count {
            address += 1
            connections[c].call = call
            return dial(c)
        }
        statistics.fail(LoadError("cannot connect to \(reason)"))
    }

    /// Closes a connection that cannot be used further, fails the calls under way on it, and reconnects.
    mutating func failConnection(_ c: Handle, _ failure: Failure) {
        let hadResponses = connections[c].responses > 0
        let call = connections[c].call
        let wasNotOpen = connections[c].phase != .open
        let hadCalls = connections[c].load > 0
        closeSocket(c)
        if speaksHTTP2, hadCalls {
            failCalls(c, failure)
        } else if calls.contains(call) {
            callFailed(call, failure)
        } else if !hadResponses, phase != .ending {
            counters.count(failure)
        }
        reconnect(c, immediately: hadResponses && !wasNotOpen)
    }

    /// Fails every call that was under way on the connection (HTTP/2).
    private mutating func failCalls(_ c: Handle, _ failure: Failure) {
        for slot in 0..<calls.slots {
            guard let call = calls.handle(inSlot: slot), calls[call].connection == c else { continue }
            calls[call].connection = .none
            callFailed(call, failure)
        }
    }

    /// Reconnects a closed connection: at once, or after the reconnect delay. A connection of `churn` stays closed
    /// until a call needs it.
    mutating func reconnect(_ c: Handle, immediately: Bool) {
        guard phase != .ending || reconnectsAtEnd(connections[c].group) || !unprocessed.isEmpty else { return }
        let group = connections[c].group
        // The connections of event streams are dialled when their session opens a stream.
        guard groups[group].connections.contains(Int(c.slot)) else { return }
        if groups[group].workload == .churn, immediately { return markFree(c) }
        if immediately { return dial(c) }
        connections[c].phase = .backingOff
        backingOff.append((c, now + Engine.reconnectDelay))
    }

    /// Whether the group sends requests after the run's end: sessions send DELETE.
    private func reconnectsAtEnd(_ group: Int) -> Bool { !groups[group].workload.isStateless }

    /// Closes the socket and discards what was to be read or sent. The calls under way are the caller's to fail.
    mutating func closeSocket(_ c: Handle) {
        if connections[c].descriptor != .none {
            world.close(connections[c].descriptor, reset: false)
            saveTicket(c)
        }
        connections[c].descriptor = .none
        connections[c].tls = nil
        connections[c].http2 = nil
        connections[c].isDraining = false
        connections[c].phase = .closed
        connections[c].deadline = .never
        connections[c].input.clear()
        connections[c].output.clear()
        connections[c].call = .none
        connections[c].load = 0
        connections[c].hasEnded = false
        connections[c].mayRead = false
    }

    /// Dials the connections whose reconnect delay has passed.
    mutating func endBackoffs() {
        var count = 0
        while count < backingOff.count, backingOff[count].until <= now {
            let c = backingOff[count].connection
            count += 1
            guard connections[c].phase == .backingOff else { continue }
            if groups[connections[c].group].workload == .churn {
                connections[c].phase = .closed
                markFree(c)
            } else {
                dial(c)
            }
        }
        backingOff.removeFirst(count)
    }

    /// Fails the connections whose connect or handshake took too long.
    mutating func expireConnections() {
        for slot in 0..<connections.slots {
            let c = connection(inSlot: slot)
            guard connections[c].deadline <= now else { continue }
            if connections[c].phase == .dialling || connections[c].phase == .handshaking {
                // ETIMEDOUT
                connectFailed(c, 110)
            } else {
                // Closing took too long.
                closeSocket(c)
                reconnect(c, immediately: true)
            }
        }
    }
}
