import Kernel
import Load
import Testing

/// The negative controls: an oracle that finds nothing where there is something is worth nothing.
@Suite("Against a lying server", .serialized)
struct FaultyServerTests {
    private func run(_ lie: FaultyServer.Fault, _ workload: Workload, calls: UInt64 = 150) throws -> (
        RunFigures, lies: Int
    ) {
        let server = try FaultyServer(lie)
        defer { server.stop() }
        var plan = LoadPlan(
            target: Target(isSecure: false, host: "127.0.0.1", port: server.address.port, path: "/mcp"),
            workload: workload)
        // With one, the call before has certainly had its answer.
        plan.connections = lie == .oldID ? 1 : 3
        plan.seconds = workload == .fanin ? 0.5 : 20
        plan.warmUp = 0
        plan.calls = calls
        plan.callsPerSession = 20
        plan.bytes = 5_000
        plan.timeout = 0.4
        let figures = try LoadRun(plan).finish()
        return (figures, server.lies)
    }

    @Test("that does not lie: nothing is found", arguments: [Workload.sessions, .calls, .bodies, .churn, .fanin])
    func truth(_ workload: Workload) throws {
        let (figures, _) = try run(.none, workload)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }

    @Test(
        "each lie is counted as what it is, and nothing else is",
        arguments: [
            (FaultyServer.Fault.foreignID, Workload.calls, WrongAnswer.foreignID),
            (.foreignID, .sessions, .foreignID),
            (.oldID, .calls, .answeredTwice),
            (.otherReplica, .sessions, .strayed),
            (.skipsCount, .sessions, .miscounted),
            (.twice, .calls, .answeredTwice),
            (.toolError, .sessions, .hiddenError),
            (.rpcError, .calls, .hiddenError),
            (.notJSON, .calls, .malformed),
            (.otherSession, .sessions, .malformed),
            (.otherType, .calls, .malformed),
            (.acceptsOnly, .calls, .malformed),
            (.echoesOther, .sessions, .foreignID),
            (.shortText, .bodies, .damaged),
            (.wrongLetter, .bodies, .damaged),
            (.skipsEvent, .fanin, .gap),
            (.repeatsEvent, .fanin, .duplicate),
            (.denies, .sessions, .strayed),
        ])
    func lie(_ lie: FaultyServer.Fault, _ workload: Workload, _ kind: WrongAnswer) throws {
        let (figures, lies) = try run(lie, workload)
        #expect(lies > 0)
        let found = figures.wrong[kind] ?? 0
        // The last few may be told to somebody who has gone already.
        #expect(found > 0 && found <= UInt64(lies) && found + 6 >= UInt64(lies), "\(lies) lies, \(figures.wrong)")
        #expect(Set(figures.wrong.keys) == [kind], "\(figures.wrong) \(figures.examples)")
        #expect(figures.failed == [:], "\(figures.failed) \(figures.examples)")
        #expect(!figures.examples.isEmpty)
    }

    @Test(
        "what fails without being wrong is counted apart",
        arguments: [
            (FaultyServer.Fault.silence, Workload.calls, "timed out"),
            (.truncates, .calls, "connection closed"),
            (.forgets, .sessions, "session lost"),
            (.overload, .calls, "HTTP 503"),
            (.gibberish, .calls, "not HTTP"),
            (.endsStream, .fanin, "stream ended"),
            (.hasNoStreams, .fanin, "HTTP 405"),
        ])
    func failure(_ lie: FaultyServer.Fault, _ workload: Workload, _ kind: String) throws {
        let (figures, lies) = try run(lie, workload, calls: 40)
        #expect(lies > 0)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(Set(figures.failed.keys) == [kind], "\(figures.failed) \(figures.examples)")
        #expect(figures.failed[kind] ?? 0 <= UInt64(lies))
    }
}
