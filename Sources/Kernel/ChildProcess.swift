import CLinux
import Glibc

/// A process that this one has started. Its owner asks for its end with `outcome()` until it has ended, so that the
/// kernel forgets it.
public struct ChildProcess: Sendable {
    /// What has become of it.
    public enum Outcome: Equatable, Sendable {
        /// It still runs.
        case running
        /// It has ended with this exit code.
        case exited(CInt)
        /// This signal has ended it.
        case killed(CInt)
        /// It is no child of this process, or was asked for after its end.
        case unknown
    }

    /// The process's id.
    public let id: CInt

    /// Names a child by its process id.
    public init(id: CInt) { self.id = id }

    /// Starts a program: `path` with a slash is a file, without one it is searched for in PATH, as execvp(3) does. The child
    /// gets `descriptors` under the same numbers and, of those that are closed on exec, no others. No signal is blocked
    /// or ignored in it. Throws what posix_spawn(3) fails with, ENOENT and EACCES most often.
    public static func start(
        _ path: String, arguments: [String], environment: [String], keeping descriptors: [Descriptor] = []
    ) throws(SystemError) -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        try check("posix_spawn", posix_spawn_file_actions_init(&actions))
        defer { posix_spawn_file_actions_destroy(&actions) }
        try check("posix_spawn", posix_spawnattr_init(&attributes))
        defer { posix_spawnattr_destroy(&attributes) }
        // A duplicate onto itself only clears FD_CLOEXEC, in the child alone.
        for descriptor in descriptors {
            try check(
                "posix_spawn", posix_spawn_file_actions_adddup2(&actions, descriptor.raw, descriptor.raw))
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var child: pid_t = 0
        let code = withCStrings(arguments) { arguments in
            withCStrings(environment) { environment in
                posix_spawnp(&child, path, &actions, &attributes, arguments, environment)
            }
        }
        try check("posix_spawn", code)
        return ChildProcess(id: child)
    }

    /// What has become of the child; does not wait.
    public func outcome() -> Outcome {
        var status: CInt = 0
        let found = waitpid(id, &status, WNOHANG)
        guard found != 0 else { return .running }
        guard found == id else { return errno == EINTR ? .running : .unknown }
        let signal = status & 0x7f
        return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
    }

    /// Asks it to end (SIGTERM), or ends it (SIGKILL). Only while `outcome()` says that it runs: another process may get the
    /// number afterwards.
    public func stop(force: Bool) { kill(id, force ? SIGKILL : SIGTERM) }

    private static func check(_ call: StaticString, _ code: CInt) throws(SystemError) {
        if code != 0 { throw SystemError(call, code: code) }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { fatalError("an array with an element has an address") }
            return body(base)
        }
    }
}

/// This process, as others see it.
public enum ThisProcess {
    /// Its process id.
    public static var id: CInt { getpid() }
    /// The user that it acts as.
    public static var user: UInt32 { geteuid() }

    /// All variables of the environment, each as "NAME=value".
    public static var environment: [String] {
        var found: [String] = []
        var next = berth_environment()
        while let entry = next?.pointee {
            found.append(String(cString: entry))
            next = next.map { $0 + 1 }
        }
        return found
    }

    /// The value of a variable, which is then taken out of the environment, so that no program started later sees it. Call
    /// it before the first thread starts.
    public static func takeVariable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        unsetenv(name)
        return text
    }

    /// Sends a signal to a process, this one or another. Returns 0, or errno: ESRCH if there is none, EPERM if it is not ours.
    public static func signal(_ process: CInt, _ number: CInt) -> CInt { kill(process, number) == 0 ? 0 : errno }
}
