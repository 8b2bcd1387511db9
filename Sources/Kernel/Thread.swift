import CLinux
import Glibc

/// A POSIX thread that runs one closure. Workers are threads and not tasks, because each sleeps in its own epoll. The owner
/// joins or detaches it, once.
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

    /// Starts a thread that runs `run`. Its name, of which the kernel keeps 15 bytes, is what `top -H` shows. Throws EAGAIN
    /// if the system allows no more threads.
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

    /// Waits until the closure has returned.
    public consuming func join() {
        pthread_join(handle, nil)
    }

    /// Lets the thread run on; nobody can join it any more.
    public consuming func detach() {
        pthread_detach(handle)
    }
}
