import Kernel
import TestSupport

/// An edge-triggered epoll: who is watched, whom something happened to since its last event, and the last batch.
///
/// As on Linux, an event says that something happened, and carries everything that is true when it is handed out. A
/// batch already handed out is not taken back when one of its descriptors is closed: recognising those is the
/// worker's business.
struct SimulatedPoller {
    private var tokens: [CInt: UInt64] = [:]
    /// Woken descriptors in the order of waking, each once.
    private var woken: [CInt] = []
    private var isWoken: Set<CInt> = []
    private var batch: [(token: UInt64, readiness: Readiness)] = []

    var hasWoken: Bool { !woken.isEmpty }
    var batchCount: Int { batch.count }

    func isWatched(_ descriptor: Descriptor) -> Bool { tokens[descriptor.raw] != nil }

    mutating func watch(_ descriptor: Descriptor, token: UInt64) { tokens[descriptor.raw] = token }

    mutating func forget(_ descriptor: Descriptor) {
        tokens[descriptor.raw] = nil
        if isWoken.remove(descriptor.raw) != nil { woken.removeAll { $0 == descriptor.raw } }
    }

    mutating func wake(_ descriptor: Descriptor) {
        guard tokens[descriptor.raw] != nil, isWoken.insert(descriptor.raw).inserted else { return }
        woken.append(descriptor.raw)
    }

    /// Wakes a descriptor of the outside.
    mutating func ring(_ descriptor: Descriptor) { wake(descriptor) }

    func event(_ index: Int) -> (token: UInt64, readiness: Readiness)? {
        batch.indices.contains(index) ? batch[index] : nil
    }

    mutating func dropBatch() { batch.removeAll(keepingCapacity: true) }

    /// Makes a batch of at most `limit` of the woken, in an order drawn from `generator`. Those to whom nothing is to
    /// be said any more drop out, as they do on Linux.
    mutating func collect(
        limit: Int, using generator: inout SeededGenerator, readiness: (Descriptor) -> Readiness
    ) {
        woken.shuffle(using: &generator)
        let read = woken.prefix(limit)
        woken.removeFirst(read.count)
        for raw in read {
            isWoken.remove(raw)
            let state = readiness(Descriptor(raw))
            guard let token = tokens[raw], state != Readiness() else { continue }
            batch.append((token, state))
        }
    }
}
