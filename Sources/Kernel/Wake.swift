import CLinux
import Glibc

/// An eventfd: any thread rings it, one worker hears. The worker watches `descriptor` like any other.
public final class Wake: Sendable {
    public let descriptor: Descriptor

    public init() throws(SystemError) {
        let raw = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard raw >= 0 else { throw .last("eventfd") }
        descriptor = Descriptor(raw)
    }

    deinit { Glibc.close(descriptor.raw) }

    public func ring() {
        var one: UInt64 = 1
        _ = write(descriptor.raw, &one, MemoryLayout<UInt64>.size)
    }

    /// Blocks until somebody rings, at most so long. For threads that have nothing else to hear.
    public func sleep(milliseconds: CInt) {
        var one = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
        guard poll(&one, 1, milliseconds) > 0 else { return }
        var count: UInt64 = 0
        _ = read(descriptor.raw, &count, MemoryLayout<UInt64>.size)
    }
}
