import HTTP
import Kernel
import Reactor

/// The server's event loop. It owns the epoll instance, the connections, the sessions and the pending calls.
///
/// Queueing bytes on a connection marks it dirty. Only `settle()` sends, once a turn.
struct SampleLoop: ~Copyable {
    let address: SocketAddress
    let options: SampleServer.Options
    /// The fixed texts of responses.
    let texts: Texts
    var world: Linux
    var connections: Slab<Connection>
    var pendingCalls: Slab<PendingCall>
    var sessions: SessionTable
    var timers: TimerWheel
    /// The time of the current turn.
    var now: Instant
    /// The answer that is being written. One is enough, because each answer is complete before the next begins.
    var payload = Payload()
    var date = DateField()
    /// Events to send at a given time.
    var eventSchedule = EventSchedule()
    /// The number of tool calls without a session.
    var statelessCalls: UInt64 = 0
    /// Where executed tool calls are written to.
    let executions: ExecutionLog?

    private let listener: Descriptor
    private let stopSignal: StopSignal
    private let parser = RequestParser(limits: HeadLimits())
    private var head = RequestHead()
    /// Connections with bytes to send.
    private var dirty: [Handle] = []
    /// Connections to be served in the next turn without a new event.
    private var continued: [Handle] = []
    private var mayHaveConnections = false

    private static let listenerToken = UInt64.max
    private static let stopToken = UInt64.max - 1
    /// Timer tokens are a pending call's handle, the handle of a connection that waits for FIN with `lingerBit`, or one
    /// of these.
    private static let sweepToken = UInt64.max
    private static let acceptToken = UInt64.max - 1
    private static let lingerBit: UInt64 = 1 << 63
    private static let stepsPerTurn = 64
    private static let connectionsPerTurn = 256
    /// A small number, so that events are sent soon after the time that they state.
    private static let eventsPerTurn = 16
    private static let maximumPendingCalls = 65_536

    init(
        name: String, address: SocketAddress, options: SampleServer.Options, stopSignal: StopSignal
    ) throws(SystemError) {
        let executions = try options.executions.map { (path) throws(SystemError) in try ExecutionLog(path: path) }
        let world = try Linux()
        let listener = try Socket.listen(on: address, shared: false)
        self.address = Socket.localAddress(listener) ?? address
        self.options = options
        self.executions = executions
        self.stopSignal = stopSignal
        self.listener = listener
        self.world = world
        texts = Texts(name: name, product: options.product, spaces: options.replyBytes)
        connections = Slab(limit: options.maximumConnections)
        pendingCalls = Slab(limit: SampleLoop.maximumPendingCalls)
        sessions = SessionTable(limit: options.maximumSessions, idle: options.sessionIdle)
        now = .now()
        timers = TimerWheel(now: now)
    }

    /// Serves until a stop is requested, then closes everything.
    mutating func run() {
        if world.watch(listener, token: SampleLoop.listenerToken),
            world.watch(stopSignal.descriptor, token: SampleLoop.stopToken)
        {
            scheduleSweep()
            while !stopSignal.isRequested { turn() }
        }
        closeAll()
    }

    /// Closes the listener and every connection. Must be called last, also if the loop never ran.
    mutating func closeAll() {
        for slot in 0..<connections.slots {
            if let handle = connections.handle(inSlot: slot) { close(handle) }
        }
        world.close(listener, reset: false)
    }

    private mutating func turn() {
        let ready = world.wait(milliseconds: waitMilliseconds)
        now = world.now()
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            handle(token, readiness)
        }
        if mayHaveConnections { acceptConnections() }
        let waiting = continued
        continued.removeAll(keepingCapacity: true)
        for handle in waiting { serve(handle) }
        while let token = timers.popDue(at: now) { expire(token) }
        for _ in 0..<SampleLoop.eventsPerTurn {
            guard let entry = eventSchedule.popDue(at: now) else { break }
            switch entry.task {
            case .event(let stream, let session, let sequence):
                sendPeriodicEvent(stream, of: session, sequence, due: entry.due)
            case .pendingCall(let handle): advance(handle)
            }
        }
        settle()
    }

    /// The longest time that the next wait may last, in milliseconds; -1 without a limit.
    private var waitMilliseconds: CInt {
        if mayHaveConnections || !continued.isEmpty { return 0 }
        let timer = timers.millisecondsUntilNext(from: now)
        let event = eventSchedule.millisecondsUntilNext(from: now)
        return timer < 0 || event < 0 ? max(timer, event) : min(timer, event)
    }

    private mutating func handle(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case SampleLoop.listenerToken: mayHaveConnections = true
        case SampleLoop.stopToken: break
        default: handle(Handle(packed: token), readiness)
        }
    }

    private mutating func handle(_ handle: Handle, _ readiness: Readiness) {
        guard connections.contains(handle) else { return }
        if readiness.hasFailed { return close(handle) }
        if readiness.hasEnded {
            // A client that closes before the response is complete cancels its call.
            if connections[handle].isAnswering { return close(handle) }
            connections[handle].peerHasClosed = true
            connections[handle].mayHaveInput = true
        }
        if readiness.isReadable { connections[handle].mayHaveInput = true }
        if readiness.isWritable, !connections[handle].output.isEmpty { markDirty(handle) }
        if connections[handle].mayHaveInput { serve(handle) }
    }

    /// Accepts waiting connections, up to a limit.
    private mutating func acceptConnections() {
        for _ in 0..<SampleLoop.connectionsPerTurn {
            switch world.accept(listener) {
            case .connection(let descriptor, _): addConnection(descriptor)
            case .none:
                mayHaveConnections = false
                return
            case .exhausted:
                // No event reports that descriptors are free again, so a timer retries.
                mayHaveConnections = false
                timers.schedule(SampleLoop.acceptToken, at: now + .milliseconds(100))
                return
            }
        }
    }

    private mutating func addConnection(_ descriptor: Descriptor) {
        guard let handle = connections.insert(Connection(descriptor)) else {
            return world.close(descriptor, reset: false)
        }
        if !world.watch(descriptor, token: handle.packed) { close(handle) }
    }

    /// Reads requests and answers them until the input or the connection's share of the turn is used up.
    private mutating func serve(_ handle: Handle) {
        for _ in 0..<SampleLoop.stepsPerTurn {
            guard connections.contains(handle) else { return }
            switch connections[handle].step(parser, &head) {
            case .request: respond(on: handle)
            case .error(let error): respondError(handle, error)
            case .blocked where connections[handle].isClosing: return discardInput(handle)
            case .blocked: return
            case .needsInput:
                if !connections[handle].output.isEmpty { markDirty(handle) }
                guard receive(handle) else { return }
            }
        }
        continued.append(handle)
    }

    private mutating func receive(_ handle: Handle) -> Bool {
        switch connections[handle].receive(&world) {
        case .some: return true
        case .none: return false
        case .ended:
            connections[handle].peerHasClosed = true
            connections[handle].beginClosing()
            markDirty(handle)
            return false
        case .failed:
            close(handle)
            return false
        }
    }

    /// Discards what a client sends after a response that closes the connection. Closing with unread bytes would send
    /// RST, and the client could lose the response (RFC 9112 §9.6).
    private mutating func discardInput(_ handle: Handle) {
        for _ in 0..<SampleLoop.stepsPerTurn {
            switch connections[handle].receive(&world) {
            case .some: connections[handle].beginClosing()
            case .none: return
            case .failed: return close(handle)
            case .ended where connections[handle].output.isEmpty: return close(handle)
            case .ended:
                connections[handle].peerHasClosed = true
                return markDirty(handle)
            }
        }
        continued.append(handle)
    }

    private mutating func expire(_ token: UInt64) {
        switch token {
        case SampleLoop.sweepToken:
            sessions.sweep(at: now)
            scheduleSweep()
        case SampleLoop.acceptToken: mayHaveConnections = true
        case SampleLoop.lingerBit...: close(Handle(packed: token & ~SampleLoop.lingerBit))
        default: advance(Handle(packed: token))
        }
    }

    private mutating func scheduleSweep() {
        let pause = min(options.sessionIdle.nanoseconds / 4, 30_000_000_000)
        timers.schedule(SampleLoop.sweepToken, at: now + Interval(nanoseconds: max(pause, 20_000_000)))
    }

    mutating func markDirty(_ handle: Handle) {
        guard connections.contains(handle), !connections[handle].isDirty else { return }
        connections[handle].isDirty = true
        dirty.append(handle)
    }

    private mutating func settle() {
        for handle in dirty where connections.contains(handle) {
            connections[handle].isDirty = false
            flush(handle)
        }
        dirty.removeAll(keepingCapacity: true)
    }

    private mutating func flush(_ handle: Handle) {
        let descriptor = connections[handle].descriptor
        switch connections[handle].output.flush(&world, to: descriptor) {
        case .failed: close(handle)
        case .blocked: break
        case .sent where connections[handle].isClosing: closeGracefully(handle)
        case .sent:
            if connections[handle].canContinue { continued.append(handle) }
        }
    }

    /// Sends FIN after the last response, then waits up to two seconds for the client's FIN.
    private mutating func closeGracefully(_ handle: Handle) {
        if connections[handle].peerHasClosed { return close(handle) }
        world.finish(connections[handle].descriptor)
        timers.schedule(SampleLoop.lingerBit | handle.packed, at: now + .seconds(2))
        connections[handle].mayHaveInput = true
        continued.append(handle)
    }

    /// Closes a connection and cancels its pending call. A stale handle has no effect.
    mutating func close(_ handle: Handle) {
        guard let connection = connections.remove(handle) else { return }
        if !connection.pendingCall.isNone { _ = pendingCalls.remove(connection.pendingCall) }
        if let session = connection.streamOf { sessions.streamClosed(handle, of: session, at: now) }
        world.close(connection.descriptor, reset: false)
    }
}

extension Handle {
    /// The handle as a poller or timer token. A slab's generations have 24 bits.
    var packed: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    init(packed: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: packed), generation: UInt32(truncatingIfNeeded: packed >> 32))
    }
}
