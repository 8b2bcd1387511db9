import CLinux
import Glibc

/// Wakes a worker from another thread: an eventfd that any thread rings and one worker watches. It owns the descriptor.
public final class Wake: Sendable {
    /// Becomes readable with every `ring`. A worker that watches it edge-triggered need not read it.
    public let descriptor: Descriptor

    /// Opens the eventfd. Throws what eventfd(2) fails with, EMFILE most often.
    public init() throws(SystemError) {
        let raw = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard raw >= 0 else { throw .last("eventfd") }
        descriptor = Descriptor(raw)
    }

    deinit { Glibc.close(descriptor.raw) }

    /// Wakes whoever watches or sleeps. Any thread may call it; it never blocks.
    public func ring() {
        var one: UInt64 = 1
        _ = write(descriptor.raw, &one, MemoryLayout<UInt64>.size)
    }

    /// Blocks until a thread has rung since the last `sleep`, at most `milliseconds` (−1: without end). For threads that
    /// watch nothing else.
    public func sleep(milliseconds: CInt) {
        var one = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&one, 1, milliseconds) > 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, MemoryLayout<UInt64>.size)
    }
}
