package import Glibc
package import Kernel

/// A process that this one has started, or has adopted from a descendant that ended. Whoever made the value waits for its
/// end. Not for several threads at a time.
package final class Program {
    /// How a process ended.
    package enum Exit: Equatable, Sendable {
        /// With this exit code.
        case code(CInt)
        /// By this signal.
        case signal(CInt)
    }

    /// The number of the process.
    package let pid: pid_t
    private var exit: Exit?

    /// A child by its number.
    package init(pid: pid_t) { self.pid = pid }

    /// Starts the program at `path`. It is in a process group of its own, with no signal blocked, and its input is empty.
    /// `output`: the file that its output and errors are appended to. Throws what posix_spawn(3) fails with.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], output: String
    ) throws(SystemError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var variables: [UnsafeMutablePointer<CChar>?] = []
        var entry = environ
        while let text = entry.pointee {
            variables.append(strdup(text))
            entry += 1
        }
        variables += environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid = pid_t()
        let code = posix_spawn(&pid, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SystemError("posix_spawn", code: code) }
        self.pid = pid
    }

    /// How it has ended; nil while it runs. Asks the kernel, and frees what that keeps of an ended process.
    package var ended: Exit? {
        guard exit == nil else { return exit }
        var status: CInt = 0
        let result = waitpid(pid, &status, WNOHANG)
        // No child of ours: adopted too early, or waited for by another.
        if result < 0 { return kill(pid, 0) == 0 ? nil : .code(0) }
        guard result == pid else { return nil }
        let signal = status & 0x7f
        exit = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
        return exit
    }

    /// Sends a signal, unless it has ended.
    package func signal(_ number: CInt) {
        if ended == nil { kill(pid, number) }
    }

    /// Waits for its end, at most `milliseconds`. Whether it has ended.
    package func wait(milliseconds: Int) -> Bool {
        let end = Instant.now() + .milliseconds(UInt64(max(0, milliseconds)))
        while ended == nil {
            if Instant.now() >= end { return false }
            usleep(2_000)
        }
        return true
    }

    /// Ends it: SIGTERM, and SIGKILL if it is still there after `milliseconds`.
    package func end(milliseconds: Int) {
        signal(SIGTERM)
        signal(SIGCONT)
        guard !wait(milliseconds: milliseconds) else { return }
        signal(SIGKILL)
        _ = wait(milliseconds: 5_000)
    }
}
