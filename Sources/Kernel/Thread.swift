import CLinux
import Glibc

/// A POSIX thread that runs one closure. Workers are threads and not tasks: each sleeps in its own epoll.
public struct Thread: ~Copyable {
    private let handle: pthread_t

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = String(name.prefix(15))
            self.run = run
        }
    }

    public init(named name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { pointer in
                guard let pointer else { return nil }
                let body = Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                berth_name_thread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError("pthread_create", code: code)
        }
        self.handle = handle
    }

    public consuming func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread run on without anybody to join it.
    public consuming func detach() {
        pthread_detach(handle)
    }
}

/// Facts about the machine.
public enum Machine {
    /// Processors this process may run on, at least 1: what a cpuset or `taskset` leaves us, not what is built in.
    public static var availableProcessors: Int { Int(berth_available_processors()) }

    /// Lets this process open as many descriptors as the system allows it: two for every exchange.
    public static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(CInt(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// `count` bytes from the kernel's generator, fit for keys.
    public static func randomBytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let got = getrandom(buffer.baseAddress.map { $0 + initialized }, count - initialized, 0)
                if got > 0 { initialized += got }
            }
        }
    }
}
