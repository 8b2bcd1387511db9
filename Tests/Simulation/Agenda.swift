import Kernel

/// What will happen and when: a binary heap, earliest first, in the order of asking among equals.
struct Agenda {
    enum Occurrence {
        /// Bytes reach a socket, together with how much the sender had received when they left.
        case segment(SimulatedSocket, [UInt8], acknowledging: UInt64)
        case acknowledgement(SimulatedSocket, upTo: UInt64)
        case finish(SimulatedSocket, acknowledging: UInt64)
        case reset(SimulatedSocket)
        /// The worker's SYN reaches an address; a peer's SYN reaches one.
        case dialArrives(SimulatedSocket, SocketAddress)
        case knock(SimulatedPeer, attempt: Int)
        case established(SimulatedSocket)
        case dialFails(SimulatedSocket, CInt)
        /// A kernel has sent the same bytes again and again, and nothing has answered.
        case givesUp(SimulatedSocket)
        /// A peer's pause is over, or it is time for it to read.
        case resume(SimulatedPeer)
        case read(SimulatedPeer)
        case call(() -> Void)
    }

    private struct Entry {
        let time: UInt64
        let order: UInt64
        let occurrence: Occurrence

        func precedes(_ other: Entry) -> Bool {
            time == other.time ? order < other.order : time < other.time
        }
    }

    private var heap: [Entry] = []
    private var asked: UInt64 = 0

    var nextTime: UInt64? { heap.first?.time }

    mutating func add(_ occurrence: Occurrence, at time: UInt64) {
        heap.append(Entry(time: time, order: asked, occurrence: occurrence))
        asked += 1
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest occurrence that is due at `time`.
    mutating func take(dueAt time: UInt64) -> Occurrence? {
        guard let first = heap.first, first.time <= time else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.occurrence }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].precedes(heap[least]) {
                least = child
            }
            if least == parent { return first.occurrence }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
