import Glibc
import Kernel
import Testing

@Suite("Processes and channels")
struct ProcessTests {
    private static func end(_ child: ChildProcess) -> ChildProcess.Outcome {
        let deadline = Instant.now() + .seconds(60)
        while Instant.now() < deadline {
            let outcome = child.outcome()
            if outcome != .running { return outcome }
            usleep(1_000)
        }
        return .running
    }

    private static func shell(_ script: String, keeping: [Descriptor] = []) throws -> ChildProcess {
        try ChildProcess.start(
            "sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin", "WORD=hello"], keeping: keeping)
    }

    @Test("a child's end is told once, as its exit code or its signal")
    func ends() throws {
        let exits = try Self.shell("[ \"$WORD\" = hello ] && exit 7")
        #expect(Self.end(exits) == .exited(7))
        #expect(exits.outcome() == .unknown)
        #expect(Self.end(try Self.shell("kill -9 $$")) == .killed(SIGKILL))
        let stopped = try Self.shell("exec sleep 60")
        #expect(stopped.outcome() == .running)
        stopped.stop(force: false)
        #expect(Self.end(stopped) == .killed(SIGTERM), "no signal is blocked in it")
    }

    @Test("a program that is not there is an error and no child")
    func missing() {
        #expect(throws: SystemError("posix_spawn", code: ENOENT)) {
            try ChildProcess.start("/nonexistent/program", arguments: ["x"], environment: [])
        }
    }

    @Test("a child gets the descriptors that it is to keep, and no other of ours")
    func descriptors() throws {
        let (ours, theirs) = try LineChannel.pair()
        let child = try ChildProcess.start(
            "/bin/bash",
            arguments: [
                "bash", "-c",
                "echo hello >&\(theirs.descriptor.raw); [ -e /proc/self/fd/\(ours.descriptor.raw) ] && exit 1; exit 0",
            ],
            environment: [], keeping: [theirs.descriptor])

        #expect(ours.nextLine(until: Instant.now() + .seconds(60)) == .line("hello"))
        #expect(Self.end(child) == .exited(0))
        #expect(fcntl(theirs.descriptor.raw, F_GETFD) & FD_CLOEXEC != 0, "here nothing has changed")
    }

    @Test("lines come as they were sent, in whatever pieces; an end without a line's end is no line")
    func lines() throws {
        let (left, right) = try LineChannel.pair()
        let soon = Instant.now() + .seconds(60)
        #expect(left.nextLine(until: .now()) == .timedOut)
        for piece in ["a", "b\n\nc", "d\n", "rest"] { #expect(right.send(piece, until: soon)) }
        #expect((0..<3).map { _ in left.nextLine(until: soon) } == [.line("ab"), .line(""), .line("cd")])
        #expect(left.nextLine(until: .now()) == .timedOut)
        right.shutDown()
        #expect(left.nextLine(until: soon) == .ended)
        #expect(!right.send("x\n", until: soon) && !left.send("x\n", until: soon))
    }

    @Test("a line that is too long ends the channel; a reader that does not read ends a send in time")
    func limits() throws {
        let (left, right) = try LineChannel.pair()
        let text = String(repeating: "x", count: 10 << 20)
        #expect(!right.send(text, until: Instant.now() + .milliseconds(20)))
        #expect(left.nextLine(until: Instant.now() + .seconds(60)) == .ended)
    }

    @Test(
        "addresses are read as they are written",
        arguments: ["127.0.0.1:80", "[::1]:443", "[::]:0", "[2001:db8::1]:65535"])
    func addresses(_ text: String) { #expect(SocketAddress(text)?.description == text) }

    @Test(
        "no address",
        arguments: ["", ":80", "127.0.0.1", "127.0.0.1:", "::1:80", "[::1]", "name:80", "1.2.3.4:65536", "[::1:80"])
    func noAddresses(_ text: String) { #expect(SocketAddress(text) == nil) }
}
