import Balancing

/// What a fair queue should do, done by walking lists: as plain as can be.
struct NaiveFairQueue {
    struct Flow {
        let key: UInt64
        var waiters: [UInt32]
    }

    /// By need: the keys in the order of their turns.
    private var bands: [String: [Flow]] = [:]
    private var credits: [Int: [Int]] = [:]

    var count: Int { bands.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.waiters.count } } }

    private func name(_ server: Int?, _ isUpload: Bool) -> String { "\(server ?? -1) \(isUpload)" }

    mutating func insert(_ waiter: UInt32, key: UInt64, _ need: FairQueue.Need, at place: FairQueue.Place) {
        var band = bands[name(need.server, need.isUpload)] ?? []
        if let index = band.firstIndex(where: { $0.key == key }) {
            switch place {
            case .last: band[index].waiters.append(waiter)
            case .first:
                var flow = band.remove(at: index)
                flow.waiters.insert(waiter, at: 0)
                band.insert(flow, at: 0)
            }
        } else {
            band.insert(Flow(key: key, waiters: [waiter]), at: place == .first ? 0 : band.count)
        }
        bands[name(need.server, need.isUpload)] = band
    }

    mutating func remove(_ waiter: UInt32) {
        for band in bands.keys {
            for index in (bands[band] ?? []).indices { bands[band]?[index].waiters.removeAll { $0 == waiter } }
            bands[band]?.removeAll { $0.waiters.isEmpty }
        }
    }

    mutating func popNext(for server: Int, _ offer: FairQueue.Offer, mayHave: (UInt64) -> Bool) -> UInt32? {
        let names = [name(server, false), name(server, true), name(nil, false), name(nil, true)]
        var candidates: [Int: Int] = [:]
        for index in 0..<4 {
            let isOffered = (index & 1 == 0 || offer.takesUploads) && (index < 2 || offer.takesAny)
            if isOffered, let flow = bands[names[index]]?.firstIndex(where: { mayHave($0.key) }) {
                candidates[index] = flow
            }
        }
        guard !candidates.isEmpty else { return nil }
        var credit = credits[server] ?? [0, 0, 0, 0]
        var total = 0
        for index in 0..<4 {
            let weight = candidates[index] == nil ? 0 : bands[names[index]]?.count ?? 0
            total += weight
            credit[index] = candidates[index] == nil ? 0 : credit[index] + weight
        }
        let best = candidates.keys.sorted().reduce(nil) { best, index in
            best.map { credit[$0] >= credit[index] ? $0 : index } ?? index
        }
        guard let best, let position = candidates[best], var band = bands[names[best]] else { return nil }
        credit[best] -= total
        credits[server] = credit.map { min(total, max(-total, $0)) }
        var flow = band.remove(at: position)
        let waiter = flow.waiters.removeFirst()
        if !flow.waiters.isEmpty { band.append(flow) }
        bands[names[best]] = band
        return waiter
    }
}
