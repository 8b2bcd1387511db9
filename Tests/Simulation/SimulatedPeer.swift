import Glibc
package import Kernel
import Reactor

/// The far end of one connection of the worker: a client that connected, or a server that was dialled. It does what
/// its script says and remembers what it got.
///
/// A script is a queue of actions, done one after the other, and closures that answer what happens with more of them.
package final class SimulatedPeer {
    package enum Role: Sendable { case client, server }

    package enum Action {
        case send([UInt8])
        /// Does nothing for so long; reading goes on.
        case pause(Interval)
        /// Sends FIN and goes on reading.
        case finish
        /// Closes: FIN, and RST for whatever comes later or was left unread.
        case close
        case reset
        /// Is gone without a word, as after a power cut: nothing passes any more in either direction, and what the worker
        /// sends is never acknowledged. Its kernel gives such bytes up after a quarter of an hour.
        case vanish
        case read(Reading)
        case run((SimulatedPeer) -> Void)

        package static func text(_ text: String) -> Action { .send(Array(text.utf8)) }
    }

    /// How the peer's application reads.
    package enum Reading: Sendable {
        case atOnce
        case never
        case slowly(bytes: Int, every: Interval)
    }

    package let role: Role
    /// Where the peer is: a client's own address, or the one that was dialled.
    package let address: SocketAddress
    /// A client's listener; for a server, the address the worker came from.
    package let target: SocketAddress
    unowned let network: SimulatedNetwork
    var socket: SimulatedSocket?

    /// How many of its bytes travel together; nil for what the network's conditions say. Set before the connection.
    package var segmentBytes: ClosedRange<Int>? {
        didSet { if let segmentBytes { socket?.segmentBytes = segmentBytes } }
    }

    /// What the script's bytes go through on their way to and from the wire, such as TLS. Set before the connection.
    /// The script begins when the layer is ready.
    package var layer: (any PeerLayer)?

    package var onOpen: (() -> [Action])?
    /// Answers the bytes just read.
    package var onReceive: (([UInt8]) -> [Action])?
    /// Answers the worker's FIN. Without it the peer closes when its queue is done.
    package var onEnd: (() -> [Action])?

    /// All that was read.
    package private(set) var received: [UInt8] = []
    package var receivedText: String { String(decoding: received, as: UTF8.self) }
    /// The connection came about, at some time.
    package private(set) var wasOpened = false
    /// The worker's FIN was read, or the layer's word that it sends no more.
    package private(set) var hasEnded = false
    /// The FIN came although the layer had not said that it would: what came before it may not be all.
    package private(set) var wasTruncated = false
    /// The connection is open and its layer ready: the script runs.
    package private(set) var hasStarted = false
    /// The connection broke, or never came about: errno.
    package private(set) var failure: CInt?
    /// The peer closed or reset its end, or vanished.
    package private(set) var isClosed = false
    /// When it last read something.
    package private(set) var lastRead: Instant?

    private var queue: [Action] = []
    private var isPausing = false
    private var isWorking = false
    private var reading = Reading.atOnce
    private var readIsDue = false

    init(role: Role, network: SimulatedNetwork, address: SocketAddress, target: SocketAddress) {
        self.role = role
        self.network = network
        self.address = address
        self.target = target
    }

    var isConnecting: Bool { !wasOpened && failure == nil && !isClosed }
    /// Neither closed, nor failed, nor told that the worker is done.
    package var isOpen: Bool { wasOpened && !isClosed && failure == nil && !hasEnded }
    /// The connection is over for the peer, one way or another.
    package var isDone: Bool { isClosed || failure != nil }

    /// Adds to the queue. Before the connection is open, nothing of it is done.
    package func perform(_ actions: Action...) { perform(actions) }

    package func perform(_ actions: [Action]) {
        queue += actions
        work()
    }

    /// Calls `action` after a while, unless the peer is done by then. Not part of the queue.
    package func after(_ delay: Interval, _ action: @escaping () -> Void) {
        network.after(delay) { [weak self] in
            if let self, !isDone { action() }
        }
    }

    // MARK: What the network reports

    func open() {
        wasOpened = true
        if let layer { write(layer.begin()) }
        start()
        socketChanged()
    }

    private func start() {
        guard !hasStarted, layer?.isReady ?? true else { return work() }
        hasStarted = true
        if let onOpen { queue += onOpen() }
        work()
    }

    func fail(_ code: CInt) {
        guard failure == nil, !isClosed else { return }
        failure = code
        queue = []
    }

    func resume() {
        isPausing = false
        work()
    }

    func socketChanged() {
        switch reading {
        case .never: if let socket, socket.pendingError != 0 { fail(socket.takeError()) }
        case .atOnce: while readSome(.max) {}
        case .slowly(_, let interval):
            guard !readIsDue else { return }
            readIsDue = true
            network.agenda.add(.read(self), at: network.clock + max(1, interval.nanoseconds))
        }
    }

    func readOnce() {
        readIsDue = false
        guard case .slowly(let bytes, _) = reading else { return socketChanged() }
        if readSome(max(1, bytes)) { socketChanged() }
    }

    // MARK: Reading

    /// Reads at most `limit` bytes and lets the script answer; false when there is nothing more to learn.
    private func readSome(_ limit: Int) -> Bool {
        guard let socket, !isClosed, failure == nil else { return false }
        let count = min(limit, socket.unread.count)
        if count > 0 {
            let bytes = socket.unread.takeFirst(count)
            lastRead = network.now
            if let other = socket.other { network.pump(other) }
            if let layer { pass(bytes, through: layer, socket) } else { deliver(bytes) }
            return true
        }
        if socket.finArrived, !hasEnded {
            wasTruncated = layer != nil
            end()
        } else if socket.pendingError != 0 {
            fail(socket.takeError())
        }
        return false
    }

    private func deliver(_ bytes: [UInt8]) {
        received += bytes
        if let onReceive { perform(onReceive(bytes)) }
    }

    private func pass(_ bytes: [UInt8], through layer: any PeerLayer, _ socket: SimulatedSocket) {
        let reading = layer.read(bytes)
        write(reading.outgoing)
        start()
        if !reading.plaintext.isEmpty { deliver(reading.plaintext) }
        if reading.hasFailed {
            // Its alert is on the way.
            failure = EPROTO
            leave(.close, socket)
        } else if reading.hasEnded, !hasEnded {
            end()
        }
    }

    private func end() {
        hasEnded = true
        if !hasStarted, let socket { return leave(.close, socket) }
        perform(onEnd?() ?? [.close])
    }

    // MARK: Acting

    /// Does what is next in the queue, up to a pause. A script that is called meanwhile only adds to the queue.
    private func work() {
        guard wasOpened, !isWorking, !isPausing else { return }
        isWorking = true
        while !isPausing, !isDone, let next = queue.first, hasStarted || next.isLeaving { act(queue.removeFirst()) }
        isWorking = false
    }

    private func write(_ bytes: [UInt8]) {
        guard let socket, !socket.sendingShut, !bytes.isEmpty else { return }
        socket.unsent.append(bytes.span)
        network.pump(socket)
    }

    private func act(_ action: Action) {
        guard let socket else { return }
        switch action {
        case .send(let bytes): write(layer?.write(bytes) ?? bytes)
        case .pause(let interval):
            isPausing = true
            network.agenda.add(.resume(self), at: network.clock + max(1, interval.nanoseconds))
        case .finish:
            guard socket.phase == .established else { return }
            if let layer { write(layer.finish()) }
            socket.sendingShut = true
            network.pump(socket)
        case .close, .reset, .vanish: leave(action, socket)
        case .read(let manner):
            reading = manner
            socketChanged()
        case .run(let body): body(self)
        }
    }

    private func leave(_ action: Action, _ socket: SimulatedSocket) {
        isClosed = true
        queue = []
        if case .vanish = action {
            network.cut(socket)
        } else if case .reset = action {
            network.end(socket, reset: true)
        } else {
            if let layer { write(layer.finish()) }
            network.end(socket, reset: false)
        }
    }
}

extension SimulatedPeer.Action {
    /// What ends the connection at once, and therefore does not wait for the layer.
    fileprivate var isLeaving: Bool {
        switch self {
        case .close, .reset, .vanish: true
        case .send, .pause, .finish, .read, .run: false
        }
    }
}
