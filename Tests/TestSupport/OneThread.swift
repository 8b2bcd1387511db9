import Foundation
public import Testing

extension Trait where Self == OnOneThread {
    /// The tests mostly wait: for sockets, for processes. They do it on a thread of the suite's own, because a thread of the
    /// tests' common pool, which has as many as the machine has cores, would do nothing meanwhile.
    public static var onOneThread: OnOneThread { OnOneThread() }
}

/// Runs the test cases of a suite, which is serialized, on a thread of its own.
public struct OnOneThread: SuiteTrait, TestTrait, TestScoping {
    private let thread = OneThread(name: "serialized tests")

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(thread, operation: function)
    }
}

/// A thread that runs the jobs of tasks, one after another. It lives as long as the process.
final class OneThread: TaskExecutor {
    private let queue: DispatchQueue

    init(name: String) { queue = DispatchQueue(label: name) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
