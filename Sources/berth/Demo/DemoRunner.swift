import Kernel
import Synchronization

/// One client's life: session after session until the demo ends.
enum DemoRunner {
    /// Between the starts of two calls, so a session makes at most 20 calls a second.
    private static let pause = Interval.milliseconds(50)
    /// After a failure, before the next attempt.
    private static let respite = Interval.milliseconds(500)

    static func run(_ dialler: DemoDialler, _ shared: DemoShared) {
        while !shared.stop.isAsked {
            do {
                var session = try DemoSession(dialler, stop: shared.stop)
                shared.figures.withLock { $0.recordBegin() }
                // Sessions of different length, so that they do not all end at once.
                converse(&session, calls: Int.random(in: 40...160), shared)
                session.end()
                shared.figures.withLock { $0.recordEnd() }
            } catch {
                note(error, shared)
                rest(shared.stop)
            }
        }
    }

    private static func converse(_ session: inout DemoSession, calls: Int, _ shared: DemoShared) {
        for number in 0..<calls where !shared.stop.isAsked {
            do {
                let began = Instant.now()
                let outcome = try call(number, &session)
                let spent = Instant.now() - began
                switch outcome {
                case .answered:
                    let latency = isTimed(number) ? spent.nanoseconds / 1_000 : nil
                    shared.figures.withLock { $0.recordCall(on: session.replica ?? "?", microseconds: latency) }
                case .strayed(let what):
                    shared.figures.withLock { $0.recordStray(what) }
                    // What is left of the session is not worth talking to.
                    return
                }
                guard
                    session.pause(Interval(nanoseconds: pause.nanoseconds - min(pause.nanoseconds, spent.nanoseconds)))
                else { return }
            } catch {
                return note(error, shared)
            }
        }
    }

    /// Asks for the name first and often; now and then for a stream.
    private static func call(_ number: Int, _ session: inout DemoSession) throws -> DemoSession.Outcome {
        if !isTimed(number) { return try session.count() }
        return number % 2 == 0 ? try session.whoami() : try session.echo()
    }

    /// A stream takes its time on purpose: that would say nothing of whoever stands in between.
    private static func isTimed(_ number: Int) -> Bool { number % 10 != 9 }

    private static func note(_ error: any Error, _ shared: DemoShared) {
        let fault = error as? DemoFault
        if case .stopped = fault { return }
        let text = fault?.description ?? "\(error)"
        shared.figures.withLock { $0.recordFailure(text) }
    }

    private static func rest(_ stop: DemoStop) {
        let end = Instant.now() + respite
        guard var world = try? Linux() else { return }
        while !stop.isAsked, Instant.now() < end { _ = world.wait(milliseconds: 50) }
    }
}
