import CLinux
import Glibc

/// Signals that one thread waits for instead of handling them. Make it before any thread, so that all threads inherit the
/// mask. It owns a signalfd; when it goes, the signals stay blocked.
public struct Signals: ~Copyable {
    private let descriptor: CInt

    /// Blocks `signals` for this thread and those it makes, and ignores SIGPIPE and SIGXFSZ, so that writing to a closed
    /// connection fails with EPIPE, and to a file that may not grow with EFBIG. Throws what signalfd(2) fails with.
    public init(_ signals: [CInt]) throws(SystemError) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        let raw = signalfd(-1, &set, CInt(SFD_CLOEXEC))
        guard raw >= 0 else { throw .last("signalfd") }
        descriptor = raw
    }

    deinit { Glibc.close(descriptor) }

    /// Sleeps until one of the signals comes, at most `milliseconds` (−1: without end), and returns its number; nil when
    /// the time is up.
    public func wait(milliseconds: CInt = -1) -> CInt? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) == 1 else { return nil }
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        return read(descriptor, &information, size) == size ? CInt(information.ssi_signo) : nil
    }
}
