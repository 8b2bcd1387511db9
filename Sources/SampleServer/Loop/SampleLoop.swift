import HTTP
import Kernel
import Reactor

/// The server's thread: its epoll, its connections, sessions and pending calls.
///
/// What is queued on a connection marks it dirty; `settle()` sends once a turn, and is the only place that does.
struct SampleLoop: ~Copyable {
    let address: SocketAddress
    let options: SampleServer.Options
    /// The server's name in the forms it is sent in.
    let texts: Texts
    var world: Linux
    var connections: Slab<Connection>
    var jobs: Slab<Job>
    var sessions: SessionTable
    var timers: TimerWheel
    /// The turn's one reading of the clock.
    var now: Instant
    /// The answer that is being written. One for all: an answer is complete before the next begins.
    var payload = Payload()
    var date = DateField()
    /// Who gets events without asking, and when.
    var beats: Beats
    /// Tool calls of the stateless era.
    var statelessCalls: UInt64 = 0

    private let listener: Descriptor
    private let bell: Bell
    private let parser = RequestParser(limits: HeadLimits())
    private var head = RequestHead()
    /// Connections with something to send.
    private var dirty: [Handle] = []
    /// Connections that have more to do than one turn allows.
    private var resumes: [Handle] = []
    private var mayHaveArrivals = false

    private static let listenerToken = UInt64.max
    private static let bellToken = UInt64.max - 1
    /// Timer tokens: a pending call's handle, a lingering connection's with the top bit, or one of these.
    private static let sweepToken = UInt64.max
    private static let acceptToken = UInt64.max - 1
    private static let lingerBit: UInt64 = 1 << 63
    private static let stepsPerTurn = 64
    private static let arrivalsPerTurn = 256
    /// Few, because an event's time is that of its turn, and it should leave soon after.
    private static let beatsPerTurn = 16
    private static let maximumJobs = 65_536

    init(
        name: String, address: SocketAddress, options: SampleServer.Options, bell: Bell
    ) throws(SystemError) {
        let world = try Linux()
        let listener = try Socket.listen(on: address, shared: false)
        self.address = Socket.localAddress(listener) ?? address
        self.options = options
        self.bell = bell
        self.listener = listener
        self.world = world
        texts = Texts(name: name, spaces: options.replyBytes)
        connections = Slab(limit: options.maximumConnections)
        jobs = Slab(limit: SampleLoop.maximumJobs)
        sessions = SessionTable(limit: options.maximumSessions, idle: options.sessionIdle)
        now = .now()
        timers = TimerWheel(now: now)
        beats = Beats(perSecond: options.eventsPerSecond)
    }

    /// Serves until the bell says stop, then closes everything.
    mutating func run() {
        if world.watch(listener, token: SampleLoop.listenerToken),
            world.watch(bell.descriptor, token: SampleLoop.bellToken)
        {
            scheduleSweep()
            while !bell.isAsked { turn() }
        }
        shut()
    }

    /// Closes the listener and every connection. The loop's last act, whether it ran or not.
    mutating func shut() {
        for slot in 0..<connections.slots {
            if let handle = connections.handle(inSlot: slot) { close(handle) }
        }
        world.close(listener, reset: false)
    }

    private mutating func turn() {
        let ready = world.wait(milliseconds: nap)
        now = world.now()
        for index in 0..<ready {
            let (token, readiness) = world.event(index)
            hear(token, readiness)
        }
        if mayHaveArrivals { welcome() }
        let waiting = resumes
        resumes.removeAll(keepingCapacity: true)
        for handle in waiting { serve(handle) }
        while let token = timers.popDue(at: now) { expire(token) }
        for _ in 0..<SampleLoop.beatsPerTurn {
            guard let beat = beats.popDue(at: now) else { break }
            send(beat)
        }
        settle()
    }

    /// Milliseconds that the next wait may last, -1 for ever.
    private var nap: CInt {
        if mayHaveArrivals || !resumes.isEmpty { return 0 }
        let timer = timers.millisecondsUntilNext(from: now)
        let beat = beats.millisecondsUntilNext(from: now)
        return timer < 0 || beat < 0 ? max(timer, beat) : min(timer, beat)
    }

    private mutating func hear(_ token: UInt64, _ readiness: Readiness) {
        switch token {
        case SampleLoop.listenerToken: mayHaveArrivals = true
        case SampleLoop.bellToken: break
        default: wake(Handle(packed: token), readiness)
        }
    }

    private mutating func wake(_ handle: Handle, _ readiness: Readiness) {
        guard connections.contains(handle) else { return }
        if readiness.hasFailed { return close(handle) }
        if readiness.hasEnded {
            // Whoever hangs up on an unfinished answer does not want it: the call is cancelled.
            if connections[handle].isAnswering { return close(handle) }
            connections[handle].peerHasFinished = true
            connections[handle].mayHaveInput = true
        }
        if readiness.isReadable { connections[handle].mayHaveInput = true }
        if readiness.isWritable, !connections[handle].outbox.isEmpty { markDirty(handle) }
        if connections[handle].mayHaveInput { serve(handle) }
    }

    /// Accepts what waits, up to a batch.
    private mutating func welcome() {
        for _ in 0..<SampleLoop.arrivalsPerTurn {
            switch world.accept(listener) {
            case .connection(let descriptor, _): admit(descriptor)
            case .none:
                mayHaveArrivals = false
                return
            case .exhausted:
                // No event will say when descriptors are free again.
                mayHaveArrivals = false
                timers.schedule(SampleLoop.acceptToken, at: now + .milliseconds(100))
                return
            }
        }
    }

    private mutating func admit(_ descriptor: Descriptor) {
        guard let handle = connections.insert(Connection(descriptor)) else {
            return world.close(descriptor, reset: false)
        }
        if !world.watch(descriptor, token: handle.packed) { close(handle) }
    }

    /// Reads and answers until the input or the connection's share of the turn is used up.
    private mutating func serve(_ handle: Handle) {
        for _ in 0..<SampleLoop.stepsPerTurn {
            guard connections.contains(handle) else { return }
            switch connections[handle].step(parser, &head) {
            case .request: respond(on: handle)
            case .fault(let fault): refuse(handle, fault)
            case .waits where connections[handle].isLeaving: return drain(handle)
            case .waits: return
            case .needsInput:
                if !connections[handle].outbox.isEmpty { markDirty(handle) }
                guard receive(handle) else { return }
            }
        }
        resumes.append(handle)
    }

    private mutating func receive(_ handle: Handle) -> Bool {
        switch connections[handle].receive(&world) {
        case .some: return true
        case .none: return false
        case .ended:
            connections[handle].peerHasFinished = true
            connections[handle].leave()
            markDirty(handle)
            return false
        case .failed:
            close(handle)
            return false
        }
    }

    /// Throws away what a client goes on sending after its refusal: closing on unread bytes would send a reset, which
    /// can overtake the refusal.
    private mutating func drain(_ handle: Handle) {
        for _ in 0..<SampleLoop.stepsPerTurn {
            switch connections[handle].receive(&world) {
            case .some: connections[handle].leave()
            case .none: return
            case .failed: return close(handle)
            case .ended where connections[handle].outbox.isEmpty: return close(handle)
            case .ended:
                connections[handle].peerHasFinished = true
                return markDirty(handle)
            }
        }
        resumes.append(handle)
    }

    private mutating func expire(_ token: UInt64) {
        switch token {
        case SampleLoop.sweepToken:
            sessions.sweep(at: now)
            scheduleSweep()
        case SampleLoop.acceptToken: mayHaveArrivals = true
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
        switch connections[handle].outbox.flush(&world, to: descriptor) {
        case .failed: close(handle)
        case .blocked: break
        case .sent where connections[handle].isLeaving: linger(handle)
        case .sent:
            if connections[handle].canGoOn { resumes.append(handle) }
        }
    }

    /// All was said: FIN, then a moment for the peer to answer it.
    private mutating func linger(_ handle: Handle) {
        if connections[handle].peerHasFinished { return close(handle) }
        world.finish(connections[handle].descriptor)
        timers.schedule(SampleLoop.lingerBit | handle.packed, at: now + .seconds(2))
        connections[handle].mayHaveInput = true
        resumes.append(handle)
    }

    /// Cancels what was under way on the connection and forgets it. A stale handle does nothing.
    mutating func close(_ handle: Handle) {
        guard let connection = connections.remove(handle) else { return }
        if !connection.job.isNone { _ = jobs.remove(connection.job) }
        if let session = connection.streamOf { sessions.streamClosed(handle, of: session, at: now) }
        world.close(connection.descriptor, reset: false)
    }
}

extension Handle {
    /// As it travels in poller and timer tokens. A slab's generations have 24 bits.
    var packed: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    init(packed: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: packed), generation: UInt32(truncatingIfNeeded: packed >> 32))
    }
}
