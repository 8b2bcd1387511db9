import Kernel
import Synchronization

/// What a process has told another one, or been told by it, so far.
final class Handover: Sendable {
    /// The last value of each counter that a successor was told. Only one thread tells.
    let told = Mutex<[HandoverState.Counter: Int64]>([:])
    /// The same of durations, by what they are of.
    let toldHistograms = Mutex<[String: HandoverHistogram]>([:])
    /// New sessions are told to the predecessor: until there is a successor to tell them to.
    let tellsPredecessor = Atomic(false)
}
