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
}
