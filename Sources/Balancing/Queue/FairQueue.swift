/// Who waits for connections to the servers of one upstream, and who is next: deficit round robin (Shreedhar and Varghese,
/// 1995) over keys. Each call costs one turn, so the deficit of a key is always spent and its quantum is one call.
///
/// A key stands for an agent: its session, its credential or its address. The waiters of one key are served first come,
/// first served; between two turns of a key that goes on waiting, every other key of its band has at most one turn. So a
/// key with a thousand waiters delays another's first waiter by one call.
///
/// Waiters with different needs stand in different bands, because what one waits for says nothing about the other: any
/// server will do, or only one; and requests whose bodies are still coming may not have every connection. A server that
/// has capacity serves the bands in proportion to the keys in them, by smooth weighted round robin.
///
/// The owner bounds it: it claims a place before it inserts. All operations take constant time, but for keys that are passed
/// over because they may not have more. Memory is kept for reuse, so that nothing is allocated while the queue is no longer
/// than it ever was.
package struct FairQueue: Sendable {
    /// What a waiter waits for.
    package struct Need: Equatable, Sendable {
        /// The slot of the only server that will do; nil: any will.
        package var server: Int?
        /// Its body is still coming, and it may have only connections that uploads may have.
        package var isUpload: Bool

        /// A connection to this server, or to any.
        package init(server: Int?, isUpload: Bool) {
            self.server = server
            self.isUpload = isUpload
        }
    }

    /// Whom a server that has capacity takes.
    package struct Offer: Equatable, Sendable {
        /// Those that any server will do for.
        package var takesAny: Bool
        /// Those whose bodies are still coming.
        package var takesUploads: Bool

        /// An offer to those that wait for this very server, and to these.
        package init(takesAny: Bool, takesUploads: Bool) {
            self.takesAny = takesAny
            self.takesUploads = takesUploads
        }
    }

    private struct Entry {
        var waiter: UInt32
        var flow: Int32
        var previous: Int32
        var next: Int32
    }

    private struct FlowID: Hashable {
        var key: UInt64
        var band: Int32
    }

    /// The waiters of a key in one band. Flows of a band form a ring.
    private struct Flow {
        var id: FlowID
        var count: Int32
        var first: Int32
        var last: Int32
        var previous: Int32
        var next: Int32
    }

    private struct Band {
        /// The flow whose turn it is.
        var first = FairQueue.none
        var flows: Int32 = 0
        var waiters: Int32 = 0
    }

    /// Whose turn it is among the bands that a server can serve.
    private struct ServerTurns {
        var current = SIMD4<Int32>()
        /// Where the server stands in `busyServers`.
        var busyIndex = FairQueue.none
    }

    private static var none: Int32 { -1 }

    private var entries: [Entry] = []
    private var freeEntries: [Int32] = []
    private var flows: [Flow] = []
    private var freeFlows: [Int32] = []
    private var entryOf: [UInt32: Int32] = [:]
    private var flowOf: [FlowID: Int32] = [:]
    /// Any server, any server for uploads, and then these two for each server's slot.
    private var bands = [Band(), Band()]
    /// By the server's slot.
    private var turns: [ServerTurns] = []
    /// Slots of the servers that waiters wait for and for no other.
    package private(set) var busyServers: [Int] = []

    /// An empty queue.
    package init() {}

    /// All waiters.
    package var count: Int { entryOf.count }
    /// Those that any connection to any server will do for.
    package var unrestrictedCount: Int { Int(bands[0].waiters) }
    /// Those that any server will do for.
    package var anyServerCount: Int { Int(bands[0].waiters + bands[1].waiters) }
    /// Keys that wait; one counts for each need that its waiters have.
    package var keyCount: Int { flowOf.count }

    /// Waiters of a key with this need.
    package func count(of key: UInt64, _ need: Need) -> Int {
        flowOf[FlowID(key: key, band: FairQueue.band(need))].map { Int(flows[Int($0)].count) } ?? 0
    }

    /// Whether the waiter is in the queue.
    package func contains(_ waiter: UInt32) -> Bool { entryOf[waiter] != nil }

    private static func band(_ need: Need) -> Int32 {
        Int32(truncatingIfNeeded: (need.server.map { 2 + 2 * $0 } ?? 0) + (need.isUpload ? 1 : 0))
    }
}

// MARK: - Coming and going

extension FairQueue {
    /// Where a newcomer stands.
    package enum Place: Equatable, Sendable {
        /// Behind the waiters of its key, which has its turn after the others.
        case last
        /// It was served in vain and is next again: before the waiters of its key, which has the next turn.
        case first
    }

    /// Adds a waiter, which must not be in the queue.
    package mutating func insert(_ waiter: UInt32, key: UInt64, _ need: Need, at place: Place = .last) {
        precondition(entryOf[waiter] == nil, "a waiter waits once")
        if let server = need.server { noteBusy(server) }
        let band = FairQueue.band(need)
        let flow = flow(FlowID(key: key, band: band))
        if place == .first {
            moveToEnd(Int(flow), of: Int(band))
            bands[Int(band)].first = flow
        }
        let entry = allocate(Entry(waiter: waiter, flow: flow, previous: FairQueue.none, next: FairQueue.none))
        link(entry, to: Int(flow), at: place)
        entryOf[waiter] = entry
        bands[Int(band)].waiters += 1
    }

    /// Takes a waiter out, wherever it stands; nothing happens if it is not in the queue.
    package mutating func remove(_ waiter: UInt32) {
        guard let entry = entryOf.removeValue(forKey: waiter) else { return }
        let flow = Int(entries[Int(entry)].flow)
        unlink(Int(entry), from: flow)
        freeEntries.append(entry)
        let band = Int(flows[flow].id.band)
        bands[band].waiters -= 1
        if flows[flow].count == 0 { removeFlow(flow, of: band) }
        if band >= 2 { noteIdle((band - 2) / 2) }
    }

    private mutating func link(_ entry: Int32, to flow: Int, at place: Place) {
        let isOnly = flows[flow].count == 0
        switch place {
        case .last:
            entries[Int(entry)].previous = flows[flow].last
            if !isOnly { entries[Int(flows[flow].last)].next = entry }
            flows[flow].last = entry
            if isOnly { flows[flow].first = entry }
        case .first:
            entries[Int(entry)].next = flows[flow].first
            if !isOnly { entries[Int(flows[flow].first)].previous = entry }
            flows[flow].first = entry
            if isOnly { flows[flow].last = entry }
        }
        flows[flow].count += 1
    }

    private mutating func unlink(_ entry: Int, from flow: Int) {
        let (previous, next) = (entries[entry].previous, entries[entry].next)
        if previous == FairQueue.none { flows[flow].first = next } else { entries[Int(previous)].next = next }
        if next == FairQueue.none { flows[flow].last = previous } else { entries[Int(next)].previous = previous }
        flows[flow].count -= 1
    }

    private mutating func allocate(_ entry: Entry) -> Int32 {
        if let free = freeEntries.popLast() {
            entries[Int(free)] = entry
            return free
        }
        entries.append(entry)
        return Int32(truncatingIfNeeded: entries.count - 1)
    }

    /// The flow of an id. A new one stands at the end of its band's ring: before the flow whose turn it is.
    private mutating func flow(_ id: FlowID) -> Int32 {
        if let known = flowOf[id] { return known }
        let band = Int(id.band)
        let made = Flow(
            id: id, count: 0, first: FairQueue.none, last: FairQueue.none, previous: FairQueue.none,
            next: FairQueue.none)
        let index: Int32
        if let free = freeFlows.popLast() {
            flows[Int(free)] = made
            index = free
        } else {
            flows.append(made)
            index = Int32(truncatingIfNeeded: flows.count - 1)
        }
        flowOf[id] = index
        let first = bands[band].first
        let last = first == FairQueue.none ? index : flows[Int(first)].previous
        flows[Int(index)].previous = last
        flows[Int(index)].next = first == FairQueue.none ? index : first
        flows[Int(last)].next = index
        if first == FairQueue.none { bands[band].first = index } else { flows[Int(first)].previous = index }
        bands[band].flows += 1
        return index
    }

    private mutating func removeFlow(_ flow: Int, of band: Int) {
        flowOf[flows[flow].id] = nil
        freeFlows.append(Int32(truncatingIfNeeded: flow))
        bands[band].flows -= 1
        let (previous, next) = (flows[flow].previous, flows[flow].next)
        flows[Int(previous)].next = next
        flows[Int(next)].previous = previous
        guard Int(bands[band].first) == flow else { return }
        bands[band].first = bands[band].flows == 0 ? FairQueue.none : next
    }

    private mutating func makeSpace(for server: Int) {
        while turns.count <= server {
            turns.append(ServerTurns())
            bands.append(Band())
            bands.append(Band())
        }
    }

    private mutating func noteBusy(_ server: Int) {
        makeSpace(for: server)
        guard turns[server].busyIndex == FairQueue.none else { return }
        turns[server].busyIndex = Int32(truncatingIfNeeded: busyServers.count)
        busyServers.append(server)
    }

    private mutating func noteIdle(_ server: Int) {
        guard bands[2 + 2 * server].waiters == 0, bands[3 + 2 * server].waiters == 0 else { return }
        let index = Int(turns[server].busyIndex)
        turns[server].busyIndex = FairQueue.none
        guard let last = busyServers.popLast(), last != server else { return }
        busyServers[index] = last
        turns[last].busyIndex = Int32(truncatingIfNeeded: index)
    }
}

// MARK: - Turns

extension FairQueue {
    /// Whom a server may serve next: the keys whose turn it is in its bands. Good until the queue changes.
    package struct Candidates: Sendable {
        fileprivate let server: Int
        fileprivate let flows: SIMD4<Int32>
    }

    /// Looks for those that a server with capacity may serve next; nil if there are none.
    ///
    /// - Parameter mayHave: Whether a key may have one more connection to this server. Those that may not keep their turn.
    package func next(for server: Int, _ offer: Offer, mayHave: (UInt64) -> Bool) -> Candidates? {
        let flows = candidates(for: server, offer, mayHave)
        return flows == SIMD4(repeating: FairQueue.none) ? nil : Candidates(server: server, flows: flows)
    }

    /// Takes out the first waiter of the candidate whose turn it is.
    package mutating func pop(_ candidates: Candidates) -> UInt32 {
        makeSpace(for: candidates.server)
        let choice = chooseBand(candidates.flows, of: candidates.server)
        return popFirst(of: Int(candidates.flows[choice]))
    }

    /// Takes out the next waiter that any server will do for, for one that is to be told that there is none.
    package mutating func popAnyServer() -> UInt32? {
        for band in 0...1 where bands[band].waiters > 0 { return popFirst(of: Int(bands[band].first)) }
        return nil
    }

    /// The flow whose turn it is in each of the bands that the server serves: its own, its own for uploads, and the two for
    /// any server; `none` where nobody is to be served.
    private func candidates(for server: Int, _ offer: Offer, _ mayHave: (UInt64) -> Bool) -> SIMD4<Int32> {
        var found = SIMD4(repeating: FairQueue.none)
        for index in 0..<4 {
            let isUpload = index & 1 == 1
            guard !isUpload || offer.takesUploads, index < 2 || offer.takesAny else { continue }
            let band = index < 2 ? 2 + 2 * server + index : index - 2
            guard band < bands.count else { continue }
            found[index] = firstFlow(of: band, mayHave)
        }
        return found
    }

    private func firstFlow(of band: Int, _ mayHave: (UInt64) -> Bool) -> Int32 {
        var flow = bands[band].first
        for _ in 0..<bands[band].flows {
            if mayHave(flows[Int(flow)].id.key) { return flow }
            flow = flows[Int(flow)].next
        }
        return FairQueue.none
    }

    /// Smooth weighted round robin among the bands that have a candidate; a band weighs as much as it has flows. A band
    /// without one has no credit.
    private mutating func chooseBand(_ candidates: SIMD4<Int32>, of server: Int) -> Int {
        var total: Int32 = 0
        var best = -1
        for index in 0..<4 {
            guard candidates[index] != FairQueue.none else {
                turns[server].current[index] = 0
                continue
            }
            let weight = bands[Int(flows[Int(candidates[index])].id.band)].flows
            total += weight
            turns[server].current[index] += weight
            if best < 0 || turns[server].current[index] > turns[server].current[best] { best = index }
        }
        precondition(best >= 0, "there is a candidate")
        turns[server].current[best] -= total
        // Weights change with every newcomer: what is left of a time with more of them must not cost more than one round.
        turns[server].current.clamp(lowerBound: SIMD4(repeating: -total), upperBound: SIMD4(repeating: total))
        return best
    }

    /// Takes out the first waiter of a flow, and gives the turn to the flow behind it. Flows that were passed over stay in
    /// front.
    private mutating func popFirst(of flow: Int) -> UInt32 {
        let band = Int(flows[flow].id.band)
        moveToEnd(flow, of: band)
        let waiter = entries[Int(flows[flow].first)].waiter
        remove(waiter)
        return waiter
    }

    private mutating func moveToEnd(_ flow: Int, of band: Int) {
        let first = Int(bands[band].first)
        guard flow != first else {
            bands[band].first = flows[flow].next
            return
        }
        let (previous, next) = (flows[flow].previous, flows[flow].next)
        flows[Int(previous)].next = next
        flows[Int(next)].previous = previous
        let last = flows[first].previous
        flows[flow].previous = last
        flows[flow].next = Int32(truncatingIfNeeded: first)
        flows[Int(last)].next = Int32(truncatingIfNeeded: flow)
        flows[first].previous = Int32(truncatingIfNeeded: flow)
    }
}
