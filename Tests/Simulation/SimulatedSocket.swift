import Glibc
import Kernel
import Reactor

/// What a kernel keeps for one end of a TCP connection. The rules are those of Linux, and a test holds them against
/// a real kernel; who owns the end, a worker's descriptor or a peer's script, makes no difference here.
final class SimulatedSocket {
    enum Phase { case connecting, established, dead }

    var phase: Phase
    /// The far end; nil while a dial is on its way, and for ever if nobody answers.
    weak var other: SimulatedSocket?
    /// Set while the worker has it open.
    var descriptor: Descriptor?
    weak var peer: SimulatedPeer?
    /// The far end's address, as `accept` reports it.
    let remote: SocketAddress

    var unsent = ByteBuffer()
    let sendCapacity: Int
    var segmentBytes: ClosedRange<Int>
    /// Bytes that left, that the far kernel acknowledged, and that arrived here: totals.
    var transmitted: UInt64 = 0
    var acknowledged: UInt64 = 0
    var arrived: UInt64 = 0
    /// A send was cut short or would have blocked, or the poller saw the buffer full: the next space is an event.
    var wantsSpace = false
    var sendingShut = false
    var finSent = false
    /// When the last segment from here reaches the far end: nothing overtakes it.
    var lastArrival: UInt64 = 0

    var unread = ByteBuffer()
    var incoming = 0
    let receiveCapacity: Int
    var receivingShut = false
    var finArrived = false
    var pendingError: CInt = 0
    /// Closed by its application: the kernel still delivers what was sent, and answers new bytes with RST.
    var isClosed = false
    /// The network lost the way between the two ends: nothing arrives any more, nobody is told.
    var isCut = false
    /// The end of retransmission, or of keep-alive probes, is on the agenda, for this moment.
    var givesUpAt = UInt64.max
    /// How the owner of a worker's end wants a vanished peer to be noticed; a peer's end never notices.
    var tcp = TCPOptions(keepAlive: 0, userTimeout: 0)

    init(
        phase: Phase, remote: SocketAddress, sendCapacity: Int, receiveCapacity: Int, segmentBytes: ClosedRange<Int>
    ) {
        self.phase = phase
        self.remote = remote
        self.sendCapacity = sendCapacity
        self.receiveCapacity = receiveCapacity
        self.segmentBytes = segmentBytes
    }

    var outstanding: Int { unsent.count + Int(transmitted - acknowledged) }
    var freeSpace: Int { phase == .established ? max(0, sendCapacity - outstanding) : 0 }
    /// Linux reports space only once a third of the buffer is free.
    private var hasSpace: Bool { freeSpace > 0 && freeSpace * 3 >= sendCapacity }

    /// What epoll would report now. Finding the buffer full is itself a reason to report space later (SOCK_NOSPACE).
    func readiness() -> Readiness {
        guard phase != .connecting else { return Readiness() }
        let writable = sendingShut || hasSpace
        if !writable { wantsSpace = true }
        return Readiness(
            readable: !unread.isEmpty || receivingShut, writable: writable, ended: receivingShut,
            failed: pendingError != 0)
    }

    /// Takes note of an acknowledgement; true if the owner should hear of the space.
    func acknowledge(upTo total: UInt64) -> Bool {
        guard phase == .established, total > acknowledged else { return false }
        acknowledged = total
        guard wantsSpace, hasSpace else { return false }
        wantsSpace = false
        return true
    }

    func takeError() -> CInt {
        defer { pendingError = 0 }
        return pendingError
    }

    func receive(into space: inout MutableSpan<UInt8>) -> Transfer {
        let count = min(space.count, unread.count)
        if count > 0 {
            for index in 0..<count { space[index] = unread.span[index] }
            unread.consume(count)
            return .moved(count)
        }
        if finArrived { return .ended }
        if pendingError != 0 { return .failed(takeError()) }
        return receivingShut ? .ended : .wouldBlock
    }

    func send(_ bytes: Span<UInt8>) -> Transfer {
        if pendingError != 0 { return .failed(takeError()) }
        if sendingShut { return .failed(EPIPE) }
        let count = min(bytes.count, freeSpace)
        if count < bytes.count { wantsSpace = true }
        guard count > 0 else { return .wouldBlock }
        unsent.append(bytes.extracting(0..<count))
        return .moved(count)
    }

    /// The connection is gone; what had arrived can still be read, as on Linux.
    func die(_ error: CInt) {
        phase = .dead
        pendingError = finArrived ? EPIPE : error
        receivingShut = true
        sendingShut = true
    }
}
