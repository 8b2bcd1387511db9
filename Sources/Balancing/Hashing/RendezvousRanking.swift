/// The order in which rendezvous hashing falls back when the winner of a key does not accept: a heap of scores, best
/// first. It is made only then, and costs as much as a few passes over the table.
struct RendezvousRanking: Sendable {
    private struct Ranked: Sendable {
        var score: Score
        let server: Int32
    }

    private var heap: [Ranked] = []

    init(capacity: Int) {
        heap.reserveCapacity(capacity)
    }

    /// Takes up all members but one.
    mutating func fill(from table: RendezvousTable, members: [Int32], key: UInt64, without server: Int32) {
        heap.removeAll(keepingCapacity: true)
        let mixedKey = SplitMix64.avalanche(key)
        for index in members.indices where members[index] != server {
            heap.append(Ranked(score: table.score(index, mixedKey: mixedKey), server: members[index]))
        }
        for index in (0..<(heap.count / 2)).reversed() { siftDown(index) }
    }

    /// Takes the best one out.
    mutating func popBest() -> Int32? {
        guard let best = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        return best.server
    }

    /// The better score stands first; of equal ones, the server that comes first in the list.
    private mutating func precedes(_ one: Int, _ other: Int) -> Bool {
        if heap[one].server < heap[other].server { return !beats(other, one) }
        return beats(one, other)
    }

    private mutating func beats(_ one: Int, _ other: Int) -> Bool {
        var (score, otherScore) = (heap[one].score, heap[other].score)
        let isBetter = score.beats(&otherScore)
        heap[one].score = score
        heap[other].score = otherScore
        return isBetter
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, precedes(child + 1, child) { child += 1 }
            guard precedes(child, index) else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}
