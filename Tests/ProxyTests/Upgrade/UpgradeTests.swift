import Glibc
import Kernel
import Synchronization
import Testing

@testable import Proxy

/// The old process's part of an upgrade, with everything that can fail failing.
@Suite("Upgrade")
struct UpgradeTests {
    /// A process that is to be replaced.
    private final class Source: UpgradeSource {
        let changes: Wake
        let left = Mutex<[Descriptor]?>(nil)
        let failures = Mutex(0)
        let heard = Mutex<[String]>([])

        init() throws { changes = try Wake() }

        var listeningSockets: [InheritedSockets.Address] { [] }
        func stateLines() -> String { "upstream 0 1 mcp\n" }
        func changeLines() -> String { "" }
        func receive(line: String) { heard.withLock { $0.append(line) } }
        func upgradeFailed() { failures.withLock { $0 += 1 } }
        func leaveListeners(except unused: [Descriptor]) { left.withLock { $0 = unused } }
    }

    /// What the new process does on its end of the channel.
    private typealias Play = @Sendable (LineChannel) -> Void

    private static let command = UpgradeSystem.Command(
        path: "/bin/sleep", arguments: ["sleep", "60"], environment: ["LISTEN_FDS=1", "HOME=/"])

    /// The real machine, with a process that does nothing and `play` in its place; call number `failing` fails.
    private static func system(failing number: Int = -1, _ children: Children, play: @escaping Play) -> UpgradeSystem {
        let calls = Atomic(0)
        let counter = Counter()
        var system = UpgradeSystem.linux
        let real = system
        _ = calls
        system.startThread = { name, run throws(SystemError) in
            if counter.next() == number { throw SystemError("pthread_create", code: EAGAIN) }
            try real.startThread(name, run)
        }
        system.makeChannel = { () throws(SystemError) in
            if counter.next() == number { throw SystemError("socketpair", code: EMFILE) }
            return try real.makeChannel()
        }
        system.startProcess = { command, descriptors throws(SystemError) in
            if counter.next() == number { throw SystemError("posix_spawn", code: ENOENT) }
            children.environment.withLock { $0 = command.environment }
            let theirs = LineChannel(try Socket.duplicate(descriptors[0]))
            try Thread(named: "successor") { play(theirs) }.detach()
            let child = try real.startProcess(command, [])
            children.all.withLock { $0.append(child) }
            return child
        }
        system.send = { channel, text, deadline in
            if counter.next() == number { return false }
            return real.send(channel, text, deadline)
        }
        return system
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
    }

    private final class Children: Sendable {
        let all = Mutex<[ChildProcess]>([])
        let environment = Mutex<[String]>([])

        /// Whether none of those that were started is there any more, as a process or as a zombie.
        var areGone: Bool { all.withLock { $0.allSatisfy { kill($0.id, 0) != 0 } } }

        func stop() {
            all.withLock { for child in $0 where kill(child.id, SIGKILL) == 0 { waitpid(child.id, nil, 0) } }
        }
        deinit { stop() }
    }

    private static func eventually(_ condition: () -> Bool) -> Bool {
        let deadline = Instant.now() + .seconds(60)
        while !condition() {
            guard Instant.now() < deadline else { return false }
            usleep(1_000)
        }
        return true
    }

    private static let willing: Play = { channel in
        while case .line(let line) = channel.nextLine(until: .never) {
            if line == "complete" { _ = channel.send("ready 9\nsession-ended 1 2\n", until: .never) }
        }
    }

    @Test("the new process is ready: the listeners are left to it, all but those that it does not want")
    func success() throws {
        let source = try Source()
        let children = Children()
        let upgrade = Upgrade(
            of: source, by: Self.command, log: LogRecorder().logger, system: Self.system(children, play: Self.willing))

        #expect(upgrade.start(within: .seconds(60)) == .started)
        #expect(Self.eventually { upgrade.state != .running })
        let child = try #require(children.all.withLock { $0.first })
        #expect(upgrade.state == .handedOver(child.id))
        #expect(source.left.withLock { $0 } == [Descriptor(9)])
        #expect(Self.eventually { source.heard.withLock { $0 } == ["session-ended 1 2"] })
        #expect(upgrade.start(within: .seconds(60)) == .refused, "it is replaced already")
        let environment = children.environment.withLock { $0 }
        #expect(environment.contains { $0.hasPrefix("BERTH_UPGRADE=1;channel=") })
        #expect(environment.contains("HOME=/") && !environment.contains { $0.hasPrefix("LISTEN_") })
        upgrade.finish()
        upgrade.abort()
        #expect(upgrade.state == .handedOver(child.id), "what has succeeded stays so")
    }

    @Test(
        "whatever fails, this process serves on, nothing is left of the new one, and the next upgrade succeeds",
        arguments: 0..<5)
    func everyStep(_ number: Int) throws {
        let source = try Source()
        let (children, log) = (Children(), LogRecorder())
        let upgrade = Upgrade(
            of: source, by: Self.command, log: log.logger,
            system: Self.system(failing: number, children, play: Self.willing))

        #expect(upgrade.start(within: .seconds(60)) == .started)
        #expect(Self.eventually { upgrade.state != .running })
        guard case .failed(let reason) = upgrade.state else {
            Issue.record("call \(number) failed, and the upgrade did not: \(upgrade.state)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(upgrade.failures == 1)
        #expect(source.left.withLock { $0 } == nil && source.failures.withLock { $0 } == 1)
        #expect(children.areGone)
        #expect(log.lines.contains { $0.hasPrefix("error: upgrade failed, this process serves on: ") })

        #expect(upgrade.start(within: .seconds(60)) == .started)
        #expect(Self.eventually { upgrade.state != .running })
        #expect(source.left.withLock { $0 } == [Descriptor(9)])
        upgrade.finish()
    }

    @Test("while one runs another is refused; a stop ends it, and the new process with it")
    func abort() throws {
        let source = try Source()
        let children = Children()
        let upgrade = Upgrade(
            of: source, by: Self.command, log: LogRecorder().logger,
            system: Self.system(children) { channel in while case .line = channel.nextLine(until: .never) {} })

        #expect(upgrade.start(within: .seconds(60)) == .started)
        #expect(upgrade.start(within: .seconds(60)) == .refused)
        upgrade.abort()

        #expect(upgrade.state == .failed("this process is asked to stop"))
        #expect(children.areGone && source.left.withLock { $0 } == nil)
    }

    private static let ends: [(play: Play, reason: String)] = [
        ({ _ in }, "the new process closed the channel"),
        ({ _ = $0.send("failed cannot listen\n", until: .never) }, "the new process says: cannot listen"),
        (
            { channel in while case .line = channel.nextLine(until: .never) {} },
            "the new process was not ready within 0.3 s"
        ),
        (
            { channel in
                let long = String(repeating: "x", count: LineChannel.longestLine + 2)
                _ = channel.send(long, until: .never)
                while case .line = channel.nextLine(until: .never) {}
            }, "the new process closed the channel"
        ),
    ]

    @Test("a new process that refuses, leaves, is silent or talks nonsense changes nothing", arguments: ends.indices)
    func unwilling(_ index: Int) throws {
        let source = try Source()
        let children = Children()
        let upgrade = Upgrade(
            of: source, by: Self.command, log: LogRecorder().logger,
            system: Self.system(children, play: Self.ends[index].play))

        #expect(upgrade.start(within: index == 2 ? .milliseconds(300) : .seconds(60)) == .started)
        #expect(Self.eventually { upgrade.state != .running })

        #expect(upgrade.state == .failed(Self.ends[index].reason))
        #expect(children.areGone && source.left.withLock { $0 } == nil)
    }
}
