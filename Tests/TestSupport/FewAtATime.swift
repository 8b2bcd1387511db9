import Synchronization
public import Testing

extension Trait where Self == OneAtATime {
    /// The test keeps a machine busy: processes, a browser, a million calls. Of all such tests one case runs at a time.
    public static var oneAtATime: OneAtATime { OneAtATime() }
}

/// Lets one test case of all suites that carry it run at a time, so that none is late because of another.
public struct OneAtATime: SuiteTrait, TestTrait, TestScoping {
    /// Each test of a suite takes its turn, not the suite as a whole.
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Turn.shared.take()
        defer { Turn.shared.pass() }
        try await withTaskExecutorPreference(OneThread.ofTurns, operation: function)
    }
}

/// One turn, which is passed to those who wait in the order in which they came.
private final class Turn: Sendable {
    static let shared = Turn()

    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func pass() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.isTaken = false
            return nil
        }
        next?.resume()
    }
}
