import Kernel
import Synchronization

/// Whether a worker takes new work, finishes what it has, or is done.
struct Lifecycle: ~Copyable {
    /// The worker accepts nothing new and finishes what is under way.
    var isDraining = false
    /// When that began.
    var drainBeganAt = Instant.never
    /// Another process accepts in place of this one: there is no hurry to be rid of clients that idle.
    var hasSuccessor = false
    /// The worker has nothing left to do and was asked to stop.
    var isDone = false
    /// Never read. A type that contains an atomic has an address of its own; one without is passed by value, and Swift
    /// 6.3 then copies the whole worker, a KiB, for every call of a method that does not mutate it.
    private let anchor = Atomic(false)
}
