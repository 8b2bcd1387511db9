package import Kernel
package import Logging
import Synchronization

/// The replacement of this process by a new one that runs the program as it is now on disk.
///
/// The new process inherits the listening sockets, so that no connection that the kernel has accepted is lost, and takes over
/// what this one knows. Only when it says that all its workers accept does this one leave the listeners; then it has to be
/// drained. A new process that cannot start, ends, or says nothing in time changes nothing, and the upgrade can be tried
/// again.
package final class Upgrade: Sendable {
    /// How far it has come.
    package enum State: Sendable, Equatable {
        /// None was asked for.
        case idle
        /// A new process is being started.
        case running
        /// The process with this id accepts in place of this one.
        case handedOver(CInt)
        /// The last one failed for this reason; this process serves on.
        case failed(String)
    }

    /// Whether an upgrade has begun.
    package enum Start: Sendable { case started, refused }

    private let source: any UpgradeSource
    private let command: UpgradeSystem.Command
    private let system: UpgradeSystem
    private let log: Logger
    private let current = Mutex(State.idle)
    private let failed = Atomic(0)
    private let isAborted = Atomic(false)
    private let isOver = Atomic(false)
    private let senders = Atomic(0)

    /// Nothing happens before `start`.
    package init(
        of source: any UpgradeSource, by command: UpgradeSystem.Command, log: Logger, system: UpgradeSystem = .linux
    ) {
        self.source = source
        self.command = command
        self.log = log
        self.system = system
    }

    /// How far the last upgrade has come. Any thread may ask.
    package var state: State { current.withLock { $0 } }
    /// Upgrades that failed.
    package var failures: Int { failed.load(ordering: .relaxed) }

    /// Starts an upgrade on a thread of its own; refused if one runs or has succeeded. `limit`: how long the new process may
    /// take until it is ready.
    package func start(within limit: Interval) -> Start {
        let mayStart = current.withLock { state in
            switch state {
            case .running, .handedOver: return false
            case .idle, .failed:
                state = .running
                return true
            }
        }
        guard mayStart else { return .refused }
        do throws(SystemError) {
            try system.startThread("upgrade") { [self] in run(within: limit) }
        } catch {
            fail("cannot start a thread: \(error)")
        }
        return .started
    }

    /// Ends an upgrade that runs, and the new process with it, and returns when that is done; at most ten seconds later. One
    /// that has succeeded stays so.
    package func abort() {
        isAborted.store(true, ordering: .releasing)
        let deadline = Instant.now() + .seconds(10)
        let pause = try? Wake()
        while state == .running, Instant.now() < deadline { pause?.sleep(milliseconds: 5) }
    }

    /// After the drain: sends the new process what is left to say, and returns when that is done; at most two seconds later.
    package func finish() {
        isOver.store(true, ordering: .releasing)
        source.changes.ring()
        let deadline = Instant.now() + .seconds(2)
        let pause = try? Wake()
        while senders.load(ordering: .acquiring) > 0, Instant.now() < deadline { pause?.sleep(milliseconds: 2) }
    }

    // MARK: - On the upgrade's thread

    private func run(within limit: Interval) {
        do throws(StartError) {
            let (successor, channel) = try launch()
            let outcome = wait(for: successor, on: channel, within: limit)
            guard case .ready(let unused) = outcome else {
                channel.shutDown()
                end(successor)
                throw StartError(outcome.reason)
            }
            source.leaveListeners(except: unused)
            log.notice("upgrade: process \(successor.id) has taken over")
            current.withLock { $0 = .handedOver(successor.id) }
            follow(channel)
        } catch {
            fail(error.description)
        }
    }

    private func fail(_ reason: String) {
        failed.add(1, ordering: .relaxed)
        source.upgradeFailed()
        log.error("upgrade failed, this process serves on: \(reason)")
        current.withLock { $0 = .failed(reason) }
    }

    /// Starts the new process, and a thread that tells it what this one knows.
    private func launch() throws(StartError) -> (ChildProcess, LineChannel) {
        let addresses = source.listeningSockets
        let successor: ChildProcess
        let own: LineChannel
        do throws(SystemError) {
            let (first, theirs) = try system.makeChannel()
            own = first
            var command = command
            let variable = HandoverVariable(channel: theirs.descriptor, addresses: addresses)
            command.environment.removeAll { $0.hasPrefix("\(HandoverVariable.name)=") || $0.hasPrefix("LISTEN_") }
            command.environment.append("\(HandoverVariable.name)=\(variable.value)")
            log.notice("upgrade: starting \(command.path)")
            successor = try system.startProcess(command, [theirs.descriptor] + addresses.flatMap(\.descriptors))
            withExtendedLifetime(theirs) {}
        } catch {
            throw StartError("cannot start \(command.path): \(error)")
        }
        senders.add(1, ordering: .acquiringAndReleasing)
        do throws(SystemError) {
            try system.startThread("handover") { [self] in
                tell(own)
                senders.subtract(1, ordering: .acquiringAndReleasing)
            }
        } catch {
            senders.subtract(1, ordering: .acquiringAndReleasing)
            own.shutDown()
            end(successor)
            throw StartError("cannot start a thread: \(error)")
        }
        return (successor, own)
    }

    private enum Outcome {
        case ready(unused: [Descriptor])
        case refused(String)

        var reason: String { if case .refused(let reason) = self { reason } else { "" } }
    }

    /// Waits until the new process is ready, has failed, or the time is up.
    private func wait(
        for successor: ChildProcess, on channel: LineChannel, within limit: Interval
    ) -> Outcome {
        let deadline = Instant.now() + limit
        while !isAborted.load(ordering: .acquiring) {
            switch channel.nextLine(until: min(deadline, Instant.now() + .milliseconds(100))) {
            case .line(let line):
                switch HandoverMessage(line) {
                case .ready(let unused): return .ready(unused: unused)
                case .failed(let reason): return .refused("the new process says: \(reason)")
                default: source.receive(line: line)
                }
            case .ended: return .refused(reasonOfEnd(successor))
            case .timedOut:
                // A program that is none of ours may leave the channel to another process, or have closed it never.
                if peek(successor) != .running { return .refused(reasonOfEnd(successor)) }
                if Instant.now() >= deadline {
                    return .refused("the new process was not ready within \(limit.milliseconds / 1_000) s")
                }
            }
        }
        return .refused("this process is asked to stop")
    }

    /// The end of the last child that was asked for: the kernel tells it only once.
    private let lastOutcome = Mutex((process: CInt(0), outcome: ChildProcess.Outcome.running))

    private func peek(_ child: ChildProcess) -> ChildProcess.Outcome {
        lastOutcome.withLock { last in
            if last.process != child.id { last = (child.id, .running) }
            if last.outcome == .running { last.outcome = child.outcome() }
            return last.outcome
        }
    }

    private func reasonOfEnd(_ successor: ChildProcess) -> String {
        let deadline = Instant.now() + .seconds(1)
        let pause = try? Wake()
        while peek(successor) == .running, Instant.now() < deadline { pause?.sleep(milliseconds: 2) }
        return switch peek(successor) {
        case .exited(let code): "the new process ended with exit code \(code)"
        case .killed(let signal): "the new process was ended by signal \(signal)"
        case .running, .unknown: "the new process closed the channel"
        }
    }

    /// Ends a new process that will not take over: politely first, for it may have accepted connections already.
    private func end(_ successor: ChildProcess) {
        let pause = try? Wake()
        for isForced in [false, true] where peek(successor) == .running {
            successor.stop(force: isForced)
            let deadline = Instant.now() + .seconds(5)
            while peek(successor) == .running, Instant.now() < deadline { pause?.sleep(milliseconds: 5) }
        }
    }

    // MARK: - Between the two processes

    private static var sendingTime: Interval { .seconds(60) }

    /// Says what this process knows, then what changes, until the drain is over or nobody listens.
    private func tell(_ channel: LineChannel) {
        var text = source.stateLines() + HandoverMessage.complete.line + "\n"
        var isLast = false
        while system.send(channel, text, Instant.now() + Self.sendingTime), !isLast {
            source.changes.sleep(milliseconds: 500)
            isLast = isOver.load(ordering: .acquiring)
            text = source.changeLines()
        }
        channel.shutDown()
    }

    /// Hears what the new process learns, until one of the two ends.
    private func follow(_ channel: LineChannel) {
        while case .line(let line) = channel.nextLine(until: .never) { source.receive(line: line) }
    }
}
