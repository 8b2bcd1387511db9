import Kernel
import Synchronization

/// The loop of one client: one session after the other until the demo is stopped.
enum DemoSessionLoop {
    /// Time between the starts of two calls: at most 20 calls a second.
    private static let pause = Interval.milliseconds(50)
    /// Time between a failure and the next attempt.
    private static let retryDelay = Interval.milliseconds(500)

    static func run(_ target: DemoTarget, _ shared: DemoShared) {
        while !shared.stop.isSet {
            do {
                var session = try DemoSession(target, stop: shared.stop)
                shared.statistics.withLock { $0.recordBegin() }
                // Random lengths, so that sessions do not all end at once.
                makeCalls(&session, calls: Int.random(in: 40...160), shared)
                session.end()
                shared.statistics.withLock { $0.recordEnd() }
            } catch {
                recordFailure(error, shared)
                waitBeforeRetry(shared.stop)
            }
        }
    }

    private static func makeCalls(_ session: inout DemoSession, calls: Int, _ shared: DemoShared) {
        for number in 0..<calls where !shared.stop.isSet {
            do {
                let began = Instant.now()
                let outcome = try call(number, &session)
                let spent = Instant.now() - began
                switch outcome {
                case .answered:
                    let latency = isTimed(number) ? spent.nanoseconds / 1_000 : nil
                    shared.statistics.withLock { $0.recordCall(on: session.replica ?? "?", microseconds: latency) }
                case .misrouted(let what):
                    shared.statistics.withLock { $0.recordMisrouted(what) }
                    // The session's state is lost: begin another one.
                    return
                }
                guard
                    session.pause(Interval(nanoseconds: pause.nanoseconds - min(pause.nanoseconds, spent.nanoseconds)))
                else { return }
            } catch {
                return recordFailure(error, shared)
            }
        }
    }

    /// `whoami` and `echo` alternate; every tenth call is `count`, which is answered by an event stream.
    private static func call(_ number: Int, _ session: inout DemoSession) throws -> DemoSession.Outcome {
        if !isTimed(number) { return try session.count() }
        return number % 2 == 0 ? try session.whoami() : try session.echo()
    }

    /// Whether the latency of a call counts. That of `count` does not, since the tool itself waits.
    private static func isTimed(_ number: Int) -> Bool { number % 10 != 9 }

    private static func recordFailure(_ error: any Error, _ shared: DemoShared) {
        let demoError = error as? DemoError
        if case .stopped = demoError { return }
        let text = demoError?.description ?? "\(error)"
        shared.statistics.withLock { $0.recordFailure(text) }
    }

    private static func waitBeforeRetry(_ stop: DemoStopFlag) {
        let end = Instant.now() + retryDelay
        guard var world = try? Linux() else { return }
        while !stop.isSet, Instant.now() < end { _ = world.wait(milliseconds: 50) }
    }
}
