import Reactor

/// What can stand in a `TurnQueue`.
protocol TurnTaking: ~Copyable {
    /// It is in the queue, or in another that shares the mark.
    var awaitsTurn: Bool { get set }
}

/// Occupants of a slab to look at before the worker sleeps, each once, in the order in which they came. They are served in
/// rounds: what comes during a round waits for the next one, so that a round ends. The slab's limit is the queue's bound.
struct TurnQueue {
    private var waiting: [Handle] = []
    /// Those of the present round; empty between rounds.
    private var serving: [Handle] = []
    /// Index of the next one to serve.
    private var next = 0

    /// Nobody waits for the next round.
    var isEmpty: Bool { waiting.isEmpty }

    /// Puts an occupant at the end, unless it awaits its turn already.
    @inline(__always)
    mutating func append<Element: TurnTaking & ~Copyable>(_ handle: Handle, in slab: inout Slab<Element>) {
        guard !slab[handle].awaitsTurn else { return }
        slab[handle].awaitsTurn = true
        waiting.append(handle)
    }

    /// Begins a round with those that wait now. The last round must be over: `popFirst` has returned nil.
    @inline(__always)
    mutating func beginRound() {
        assert(serving.isEmpty, "rounds do not overlap")
        if !waiting.isEmpty { swap(&waiting, &serving) }
    }

    /// Takes the next occupant of the round that is still there; nil, and the round is over, if there is none.
    @inline(__always)
    mutating func popFirst<Element: TurnTaking & ~Copyable>(from slab: inout Slab<Element>) -> Handle? {
        while next < serving.count {
            let handle = serving[next]
            next += 1
            guard slab.contains(handle) else { continue }
            slab[handle].awaitsTurn = false
            return handle
        }
        // Emptying an array that is empty costs as much as a look at several occupants.
        if next > 0 {
            serving.removeAll(keepingCapacity: true)
            next = 0
        }
        return nil
    }
}
