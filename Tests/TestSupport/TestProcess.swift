import CSpawn
package import Foundation

/// What a child's standard input, output or errors may be.
package protocol ChildStream {
    /// The child's end, if it writes to the stream or reads from it.
    func childEnd(isWritten: Bool) -> FileHandle
    /// Gives up this process's copy of the child's end, so that the stream ends with the child.
    func childHasStarted(isWritten: Bool)
}

extension FileHandle: ChildStream {
    package func childEnd(isWritten: Bool) -> FileHandle { self }
    package func childHasStarted(isWritten: Bool) {}
}

extension Pipe: ChildStream {
    package func childEnd(isWritten: Bool) -> FileHandle { isWritten ? fileHandleForWriting : fileHandleForReading }
    package func childHasStarted(isWritten: Bool) { try? childEnd(isWritten: isWritten).close() }
}

/// A child process, used like Foundation's `Process`, which the tests can do without: before it starts a child it lists the open
/// descriptors and copies 256 bytes for each name, past the end of its buffer and, once some 1,340 are open, past
/// the end of the heap.
///
/// The child gets standard input, output and errors and no other descriptors; no signal is blocked or ignored in it.
/// Set it up and start it on one thread. A thread waits for its end: a child that has ended and was not waited for keeps
/// Swift Testing from hearing of the end of its own.
package final class TestProcess: @unchecked Sendable {
    /// The program. Without a slash it is searched for in PATH.
    package var executableURL: URL?
    package var arguments: [String] = []
    package var environment = ProcessInfo.processInfo.environment
    package var currentDirectoryURL: URL?
    package var standardInput: any ChildStream = FileHandle.standardInput
    package var standardOutput: any ChildStream = FileHandle.standardOutput
    package var standardError: any ChildStream = FileHandle.standardError
    package private(set) var processIdentifier: Int32 = 0
    /// Guards `status`, and tells that it is there.
    private let ended = NSCondition()
    /// What waitpid(2) has said of its end; nil before that.
    private var status: CInt?

    package init() {}

    /// Starts it. Throws if there is no such program.
    package func run() throws {
        guard processIdentifier == 0, let path = executableURL?.path else { throw CocoaError(.executableNotLoadable) }
        let streams: [(stream: any ChildStream, isWritten: Bool)] = [
            (standardInput, false), (standardOutput, true), (standardError, true),
        ]
        try withSpawnSettings { actions, attributes in
            for (number, (stream, isWritten)) in streams.enumerated() {
                let end = stream.childEnd(isWritten: isWritten)
                if end === FileHandle.nullDevice {
                    posix_spawn_file_actions_addopen(actions, CInt(number), "/dev/null", O_RDWR, 0)
                } else {
                    posix_spawn_file_actions_adddup2(actions, end.fileDescriptor, CInt(number))
                }
            }
            test_spawn_close_from(actions, 3)
            if let folder = currentDirectoryURL { test_spawn_change_folder(actions, folder.path) }
            try spawn(path, actions, attributes)
        }
        for (stream, isWritten) in streams { stream.childHasStarted(isWritten: isWritten) }
        Thread { self.awaitEnd() }.start()
    }

    /// What `runToEnd` reads.
    package enum Reading {
        case output, errors, both
    }

    /// Starts it with `input`, if there is one, for its standard input, reads what it prints until that ends, and waits for
    /// its end. Returns what it has printed. The child has a time limit of its own where it could hang.
    package func runToEnd(reading: Reading = .output, input: Data? = nil) throws -> Data {
        let printed = Pipe()
        if reading != .errors { standardOutput = printed }
        if reading != .output { standardError = printed }
        // A file: neither side waits for the other.
        let file = FileManager.default.temporaryDirectory.appending(path: "berth-input-\(UUID().uuidString)")
        if let input {
            try input.write(to: file)
            standardInput = try FileHandle(forReadingFrom: file)
        }
        defer { if input != nil { try? FileManager.default.removeItem(at: file) } }
        try run()
        let said = try printed.fileHandleForReading.readToEnd() ?? Data()
        waitUntilExit()
        return said
    }

    private func awaitEnd() {
        // The process id stays the child's until the lock is held.
        var info = siginfo_t()
        while waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        ended.withLock {
            var found: CInt = 0
            _ = waitpid(processIdentifier, &found, 0)
            status = found
            ended.broadcast()
        }
    }

    package var isRunning: Bool { ended.withLock { processIdentifier != 0 && status == nil } }

    /// Waits for its end. The child has a time limit of its own where it could hang.
    package func waitUntilExit() {
        ended.withLock {
            while processIdentifier != 0, status == nil { ended.wait() }
        }
    }

    /// Asks it to end (SIGTERM).
    package func terminate() { send(SIGTERM) }

    /// Sends a signal, if it still runs.
    package func send(_ signal: Int32) {
        ended.withLock {
            if processIdentifier != 0, status == nil { kill(processIdentifier, signal) }
        }
    }

    /// The exit code, or the number of the signal that has ended it. Only after its end.
    package var terminationStatus: Int32 { terminationReason == .exit ? end >> 8 & 0xff : end & 0x7f }

    /// Whether it has ended by itself. Only after its end.
    package var terminationReason: Process.TerminationReason { end & 0x7f == 0 ? .exit : .uncaughtSignal }

    private var end: CInt {
        guard let status = ended.withLock({ status }) else { preconditionFailure("it has not ended") }
        return status
    }

    private func spawn(
        _ path: String, _ actions: UnsafePointer<posix_spawn_file_actions_t>,
        _ attributes: UnsafePointer<posix_spawnattr_t>
    ) throws {
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        let code = posix_spawnp(&processIdentifier, path, actions, attributes, &words, &variables)
        guard code == 0 else {
            processIdentifier = 0
            throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL)
        }
    }

    private func withSpawnSettings(
        _ body: (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<posix_spawnattr_t>) throws -> Void
    ) throws {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, CShort(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        try body(&actions, &attributes)
    }
}
