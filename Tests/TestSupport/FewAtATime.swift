import Synchronization
public import Testing

extension Trait where Self == FewAtATime {
    /// The test keeps a machine busy for long: processes, a browser, a million calls. Of all such tests two cases run at a time, which
    /// is as many as a machine with two cores can bear beside the others.
    public static var fewAtATime: FewAtATime { FewAtATime() }
}

/// Lets two test cases of all suites that carry it run at a time, each on a thread of its own, so that none is late because of many.
public struct FewAtATime: SuiteTrait, TestTrait, TestScoping {
    /// Each test of a suite takes its turn, not the suite as a whole.
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let thread = await Turns.shared.take()
        defer { Turns.shared.pass(thread) }
        try await withTaskExecutorPreference(thread, operation: function)
    }
}

/// Threads that are passed to those who wait in the order in which they came.
private final class Turns: Sendable {
    static let shared = Turns()

    private struct State {
        var free = [OneThread(name: "turns 1"), OneThread(name: "turns 2")]
        var waiting: [CheckedContinuation<OneThread, Never>] = []
    }

    private let state = Mutex(State())

    func take() async -> OneThread {
        await withCheckedContinuation { continuation in
            let thread = state.withLock { state -> OneThread? in
                if let free = state.free.popLast() { return free }
                state.waiting.append(continuation)
                return nil
            }
            if let thread { continuation.resume(returning: thread) }
        }
    }

    func pass(_ thread: OneThread) {
        let next = state.withLock { state -> CheckedContinuation<OneThread, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free.append(thread)
            return nil
        }
        next?.resume(returning: thread)
    }
}
