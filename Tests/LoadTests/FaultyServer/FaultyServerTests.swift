import Kernel
import Load
import Testing

/// Negative controls: each fault of a server must be found.
@Suite("Load against a faulty server", .serialized)
struct FaultyServerTests {
    private func run(_ fault: FaultyServer.Fault, _ workload: Workload, calls: UInt64 = 150) throws -> (
        RunFigures, faultCount: Int
    ) {
        let server = try FaultyServer(fault)
        defer { server.stop() }
        var plan = LoadPlan(
            target: Target(isSecure: false, host: "127.0.0.1", port: server.address.port, path: "/mcp"),
            workload: workload)
        // With one connection, the call before has certainly had its response.
        plan.connections = fault == .oldID ? 1 : 3
        plan.seconds = workload == .fanin ? 0.5 : 20
        plan.warmUp = 0
        // A server that answers no call would never reach the number of calls.
        if fault == .sessionsOnly { plan.seconds = 0.3 }
        plan.calls = calls
        plan.callsPerSession = 20
        plan.bytes = 5_000
        plan.timeout = 0.4
        let figures = try LoadRun(plan).finish()
        return (figures, server.faultCount)
    }

    @Test(
        "A server without faults has no wrong answers and no failures",
        arguments: [Workload.sessions, .calls, .bodies, .churn, .fanin])
    func correct(_ workload: Workload) throws {
        let (figures, _) = try run(.none, workload)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.failed == [:], "\(figures.examples)")
        #expect(figures.completed > 0)
    }

    @Test(
        "Each fault is counted as its kind, and as nothing else",
        arguments: [
            (FaultyServer.Fault.foreignID, Workload.calls, WrongAnswer.foreignID),
            (.foreignID, .sessions, .foreignID),
            (.oldID, .calls, .answeredTwice),
            (.otherReplica, .sessions, .strayed),
            (.skipsCount, .sessions, .miscounted),
            (.respondsTwice, .calls, .answeredTwice),
            (.notJSON, .calls, .malformed),
            (.otherSession, .sessions, .malformed),
            (.otherType, .calls, .malformed),
            (.acceptsOnly, .calls, .malformed),
            (.echoesOther, .sessions, .foreignID),
            (.shortText, .bodies, .damaged),
            (.wrongByte, .bodies, .damaged),
            (.skipsEvent, .fanin, .gap),
            (.repeatsEvent, .fanin, .duplicate),
            (.notFoundOnce, .sessions, .strayed),
        ])
    func fault(_ fault: FaultyServer.Fault, _ workload: Workload, _ kind: WrongAnswer) throws {
        let (figures, faultCount) = try run(fault, workload)
        #expect(faultCount > 0)
        let found = figures.wrong[kind] ?? 0
        // The last few faulty responses may be sent after the client has closed.
        #expect(
            found > 0 && found <= UInt64(faultCount) && found + 6 >= UInt64(faultCount),
            "\(faultCount) faults, \(figures.wrong)")
        #expect(Set(figures.wrong.keys) == [kind], "\(figures.wrong) \(figures.examples)")
        #expect(figures.failed == [:], "\(figures.failed) \(figures.examples)")
        #expect(!figures.examples.isEmpty)
    }

    @Test(
        "Failures are not counted as wrong answers",
        arguments: [
            (FaultyServer.Fault.noResponse, Workload.calls, "timed out"),
            (.truncates, .calls, "connection closed"),
            (.losesSession, .sessions, "session lost"),
            (.overload, .calls, "HTTP 503"),
            (.toolError, .sessions, "tool error"),
            (.toolError, .calls, "tool error"),
            (.rpcError, .calls, "JSON-RPC error -32000"),
            (.rpcError, .sessions, "JSON-RPC error -32000"),
            (.badRequest, .sessions, "HTTP 400"),
            (.badRequest, .calls, "HTTP 400"),
            (.invalidHTTP, .calls, "not HTTP"),
            (.endsStream, .fanin, "stream ended"),
            (.hasNoStreams, .fanin, "HTTP 405"),
        ])
    func failure(_ fault: FaultyServer.Fault, _ workload: Workload, _ kind: String) throws {
        let (figures, faultCount) = try run(fault, workload, calls: 40)
        #expect(faultCount > 0)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(Set(figures.failed.keys) == [kind], "\(figures.failed) \(figures.examples)")
        #expect(figures.failed[kind] ?? 0 <= UInt64(faultCount))
    }

    @Test(
        "A failed call is shown with what the server says",
        arguments: [
            (FaultyServer.Fault.toolError, Workload.sessions, "call: tool error: no such row"),
            (.rpcError, .calls, "call: JSON-RPC error -32000: no such row"),
            (.badRequest, .sessions, "call: HTTP 400: no such row"),
            (.sessionsOnly, .calls, "call: HTTP 400: Bad Request: Missing session ID"),
        ])
    func words(_ fault: FaultyServer.Fault, _ workload: Workload, _ words: String) throws {
        let (figures, _) = try run(fault, workload, calls: 40)
        #expect(figures.wrong == [:], "\(figures.examples)")
        #expect(figures.examples.contains(words), "\(figures.examples)")
    }
}
