package import Kernel

/// What takes finished calls: a log, a tracer, a view of recent ones. The thread of the `CallFeed` calls it, and no other.
///
/// It must not wait for anything: while it does, no other sink gets a call, and in the end the rings are full.
package protocol CallSink: AnyObject, Sendable {
    /// A call is over. Calls of one worker come in order; those of several may be some milliseconds apart from it.
    func receive(_ event: borrowing CallEvent, _ names: CallNames)

    /// All calls that were there have been received. Comes at least once a second, and about every 50 ms while there are calls:
    /// the time to write a batch. `now` is on the monotonic clock.
    func flush(at now: Instant)

    /// The last call of all: the process ends, or the sink was removed. Writes what it has, within a second.
    func finish()
}

extension CallSink {
    /// Nothing is left to write.
    package func finish() {}
}
