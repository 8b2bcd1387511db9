import Kernel
import Logging
import RateLimiting
import Reactor
import Redis
import TLS

/// What happens on connections to stores.
extension Worker where Outside: ~Copyable {
    mutating func storeReady(_ connection: Handle, _ readiness: Readiness) {
        guard upstreams.stores.connections.contains(connection) else { return }
        upstreams.stores.connections[connection].transport.note(readiness)
        let client = upstreams.stores.connections[connection].client
        switch upstreams.stores.clients[client].state.phase {
        case .closed: break
        case .connecting:
            guard readiness.isWritable || readiness.hasEnded || readiness.hasFailed else { return }
            let descriptor = upstreams.stores.connections[connection].transport.descriptor
            if io.world.connectionError(descriptor) == 0 {
                upstreams.stores.connections[connection].transport.mayWrite = true
                happen(.connected, client)
            } else {
                happen(.ended, client)
            }
        case .securing:
            if readiness.isWritable { flushStore(client) }
            continueStoreHandshake(client)
        case .greeting, .authenticating, .selecting, .ready:
            if readiness.isWritable { flushStore(client) }
            readStore(client)
        }
        armStoreTimer(client)
    }

    /// Dials, writes and reads what the turn has left for its end.
    mutating func serviceStores() {
        upstreams.stores.hasWork = false
        for client in upstreams.stores.clients.indices {
            if upstreams.stores.clients[client].rates.hasNext { upstreams.stores.reportRates(client, at: clock.now) }
            if upstreams.stores.clients[client].wantsDial {
                upstreams.stores.clients[client].wantsDial = false
                dialStore(client)
            }
            if upstreams.stores.clients[client].wantsRead {
                upstreams.stores.clients[client].wantsRead = false
                readStore(client)
            }
            writeStore(client)
            armStoreTimer(client)
        }
        io.received.clear()
    }

    /// A timer of a store came.
    mutating func storeTimedOut(_ client: Int) {
        guard upstreams.stores.clients.indices.contains(client),
            upstreams.stores.clients[client].armedFor <= clock.now
        else { return }
        upstreams.stores.clients[client].armedFor = .never
        let action = upstreams.stores.clients[client].state.expire(at: clock.now)
        perform(action, client)
        armStoreTimer(client)
    }

    private mutating func armStoreTimer(_ client: Int) {
        let deadline = upstreams.stores.clients[client].state.deadline
        guard deadline < upstreams.stores.clients[client].armedFor else { return }
        upstreams.stores.clients[client].armedFor = deadline
        clock.timers.schedule(Token(.storeDeadline, slot: client).raw, at: deadline)
    }

    /// Closes the connections to stores that no upstream has any longer.
    mutating func closeUnusedStores() {
        guard !upstreams.stores.clients.isEmpty else { return }
        let used = snapshot.stores
        for client in upstreams.stores.clients.indices {
            let store = upstreams.stores.clients[client].store
            if used.contains(where: { $0 === store }) { continue }
            happen(.close, client)
            _ = upstreams.stores.clients[client].rates.dropWaiting()
        }
    }

    // MARK: - Events and actions

    private mutating func happen(_ event: RedisConnectionState<StorePurpose>.Event, _ client: Int) {
        perform(upstreams.stores.clients[client].state.handle(event, at: clock.now), client)
    }

    private mutating func perform(_ action: RedisConnectionState<StorePurpose>.Action, _ client: Int) {
        switch action {
        case .none, .answer: break
        case .dial: dialStore(client)
        case .secure: secureStore(client)
        case .send(let command):
            var writer = CommandWriter()
            writer.write(command)
            send(writer.bytes, client)
        case .flush:
            upstreams.stores.clients[client].isServing = true
            upstreams.stores.clients[client].store.counts.connectionOpened()
            upstreams.stores.hasWork = true
        case .close(let failure): closeStore(client, failure)
        }
    }

    private mutating func dialStore(_ client: Int) {
        let store = upstreams.stores.clients[client].store
        let addresses = store.addresses.current
        guard !addresses.isEmpty, !upstreams.stores.connections.isFull else {
            happen(.ended, client)
            return
        }
        let address = addresses[upstreams.stores.clients[client].addressIndex % addresses.count]
        guard case .started(let descriptor) = io.world.dial(address) else {
            happen(.ended, client)
            return
        }
        let made = StoreConnection(transport: Transport(descriptor, mayWrite: false), client: client)
        guard let connection = upstreams.stores.connections.insert(made) else {
            io.world.close(descriptor, reset: true)
            happen(.ended, client)
            return
        }
        upstreams.stores.clients[client].connection = connection
        if !io.world.watch(descriptor, token: Token(.store, connection).raw) { happen(.ended, client) }
    }

    private mutating func secureStore(_ client: Int) {
        let store = upstreams.stores.clients[client].store
        guard let context = store.tls else {
            happen(.ended, client)
            return
        }
        upstreams.stores.startHandshake(
            upstreams.stores.clients[client].connection, with: context, serverName: store.serverName, &io)
        continueStoreHandshake(client)
    }

    private mutating func continueStoreHandshake(_ client: Int) {
        let connection = upstreams.stores.clients[client].connection
        guard upstreams.stores.connections.contains(connection) else { return }
        switch upstreams.stores.stepHandshake(connection, &io) {
        case .pending: io.received.clear()
        case .done:
            // What is read with the end of the handshake, if it is anything, are no replies: nothing was asked.
            io.received.clear()
            happen(.handshakeDone, client)
        case .failed: happen(.ended, client)
        case .refused:
            logStoreRefusal(client)
            happen(.ended, client)
        }
    }

    private mutating func logStoreRefusal(_ client: Int) {
        guard let log = control.log, upstreams.takeTLSLogPermit(at: clock.now) == .granted else { return }
        log.warning(
            "TLS with store \(upstreams.stores.clients[client].store.name) failed: \(io.engine.lastFailure.reason)")
    }

    private mutating func closeStore(_ client: Int, _ failure: RedisFailure) {
        let connection = upstreams.stores.clients[client].connection
        let waiting = upstreams.stores.clients[client].state.takeAll()
        let store = upstreams.stores.clients[client].store
        let wasReady = upstreams.stores.clients[client].isServing
        if var closed = upstreams.stores.connections.remove(connection) { io.close(&closed.transport, reset: true) }
        upstreams.stores.clients[client].forgetConnection()
        store.counts.connectionClosed(wasReady: wasReady, failure)
        switch failure {
        case .unwanted: break
        // A server closes connections that idle.
        case .lost: if !waiting.isEmpty { upstreams.stores.clients[client].failed(at: clock.now, isCertain: false) }
        case .unreachable, .timedOut, .malformed, .denied, .failover:
            upstreams.stores.clients[client].addressIndex &+= 1
            upstreams.stores.clients[client].failed(at: clock.now, isCertain: true)
        }
        if failure != .unwanted { store.addresses.lookUp(at: clock.now) }
        for purpose in waiting { answer(purpose, .failed, client) }
    }

    // MARK: - Bytes

    private mutating func writeStore(_ client: Int) {
        guard upstreams.stores.clients[client].state.phase == .ready,
            !upstreams.stores.clients[client].unsent.bytes.isEmpty
        else { return }
        io.composed.clear()
        io.composed.append(upstreams.stores.clients[client].unsent.bytes)
        upstreams.stores.clients[client].unsent.clear(keeping: 16_384)
        sendComposed(client)
    }

    private mutating func send(_ bytes: [UInt8], _ client: Int) {
        io.composed.clear()
        io.composed.append(bytes)
        sendComposed(client)
    }

    private mutating func sendComposed(_ client: Int) {
        let connection = upstreams.stores.clients[client].connection
        guard upstreams.stores.connections.contains(connection) else {
            io.composed.clear()
            return
        }
        switch io.write(&upstreams.stores.connections[connection].transport) {
        case .written, .blocked: break
        case .refused, .failed: happen(.ended, client)
        }
    }

    private mutating func flushStore(_ client: Int) {
        let connection = upstreams.stores.clients[client].connection
        guard upstreams.stores.connections.contains(connection),
            !upstreams.stores.connections[connection].transport.output.isEmpty
        else { return }
        switch io.flush(&upstreams.stores.connections[connection].transport) {
        case .flushed, .blocked: break
        case .unfinished: upstreams.stores.connections[connection].transport.mayWrite = false
        case .failed: happen(.ended, client)
        }
    }

    /// Reads replies, for some reads; the rest before the worker sleeps.
    private mutating func readStore(_ client: Int) {
        for _ in 0..<Scratch.transfersPerTurn {
            let connection = upstreams.stores.clients[client].connection
            guard upstreams.stores.connections.contains(connection),
                upstreams.stores.connections[connection].transport.mayRead
            else { return }
            io.received.clear()
            io.restoreInput(&upstreams.stores.connections[connection].transport)
            let outcome = upstreams.stores.receive(connection, &io)
            takeReplies(client)
            if upstreams.stores.connections.contains(connection) {
                io.saveInput(&upstreams.stores.connections[connection].transport)
                switch outcome {
                case .moved, .wouldBlock: break
                case .ended, .failed: happen(.ended, client)
                }
            }
            io.received.clear()
        }
        upstreams.stores.clients[client].wantsRead = true
        upstreams.stores.hasWork = true
    }

    private mutating func takeReplies(_ client: Int) {
        while !io.received.isEmpty, upstreams.stores.clients[client].state.phase != .closed {
            switch upstreams.stores.clients[client].reader.next(io.received) {
            case .incomplete: return
            case .push(let end): io.received.consume(end)
            case .invalid: happen(.malformed, client)
            case .reply(let reply, let end):
                take(reply, client)
                if upstreams.stores.clients[client].state.phase != .closed { io.received.consume(end) }
            }
        }
    }

    private mutating func take(_ reply: RedisReply, _ client: Int) {
        let action = upstreams.stores.clients[client].state.handle(.reply(reply), at: clock.now)
        guard case .answer = action else {
            perform(action, client)
            return
        }
        guard let purpose = upstreams.stores.clients[client].state.takeOldest() else { return }
        upstreams.stores.clients[client].lastReplyAt = clock.now
        let time = clock.now - purpose.sentAt
        upstreams.stores.clients[client].store.counts.noteLatency(time)
        switch reply {
        case .bytes(let range): answer(purpose, .value(io.received.bytes(range)), client)
        case .null: answer(purpose, .missing, client)
        case .integer(let number): answer(purpose, .number(number), client)
        case .status, .boolean, .number, .elements: answer(purpose, .done, client)
        case .error(.noScript, _) where upstreams.stores.repeatRate(purpose, client, at: clock.now) == .submitted:
            return
        case .error(let error, _):
            answer(purpose, .refused, client)
            // Another server may have the name by now.
            if error.isFailover { happen(.failover, client) }
            return
        }
        if time <= upstreams.stores.clients[client].store.wait { upstreams.stores.clients[client].succeeded() }
    }
}
