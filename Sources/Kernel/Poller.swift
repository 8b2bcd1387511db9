import CLinux
import Glibc

/// An epoll instance with memory for one batch of events.
struct Poller: ~Copyable {
    private let descriptor: CInt
    private let events: UnsafeMutablePointer<epoll_event>
    private static let batch: CInt = 512

    init() throws(SystemError) {
        let descriptor = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw .last("epoll_create1") }
        self.events = .allocate(capacity: Int(Poller.batch))
        self.descriptor = descriptor
    }

    deinit {
        Glibc.close(descriptor)
        events.deallocate()
    }

    /// Watches for reading, writing and the peer's FIN, edge-triggered, until the descriptor is closed: one epoll_ctl(2)
    /// for the life of a descriptor. False if the kernel refuses (ENOMEM, ENOSPC).
    func add(_ watched: Descriptor, token: UInt64) -> Bool {
        berth_epoll_add(
            descriptor, watched.raw, berth_epoll_in | berth_epoll_out | berth_epoll_rdhup | berth_epoll_edge, token)
            == 0
    }

    /// Ends the watch of a descriptor that is still open.
    func remove(_ watched: Descriptor) { _ = berth_epoll_remove(descriptor, watched.raw) }

    /// Sleeps at most `milliseconds` (−1: without end). Returns the number of events, at most `batch`; 0 after a signal
    /// or when the time is up.
    func wait(milliseconds: CInt) -> Int {
        Int(max(0, berth_epoll_wait(descriptor, events, Poller.batch, milliseconds)))
    }

    /// As `wait(milliseconds:)`, to the nanosecond: for what must happen at a time and not up to a millisecond later.
    func wait(_ interval: Interval) -> Int {
        Int(max(0, berth_epoll_wait_finely(descriptor, events, Poller.batch, Int64(clamping: interval.nanoseconds))))
    }

    /// The event with this index of the last wait.
    func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        let event = events + index
        let bits = berth_epoll_readiness(event)
        return (
            berth_epoll_token(event),
            Readiness(
                readable: bits & berth_epoll_in != 0, writable: bits & berth_epoll_out != 0,
                ended: bits & (berth_epoll_rdhup | berth_epoll_hup) != 0, failed: bits & berth_epoll_err != 0)
        )
    }
}
