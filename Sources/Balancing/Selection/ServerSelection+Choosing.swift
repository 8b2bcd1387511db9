extension ServerSelection {
    /// Whether `accept` must be told the calls in progress.
    package var needsCalls: Bool { policy == .leastRequests || policy == .powerOfTwo }

    /// Begins a choice.
    ///
    /// - Parameters:
    ///   - key: What the hashing policies place by. With nil they take turns instead.
    ///   - random: Fresh and uniform for `powerOfTwo`; the other policies ignore it.
    ///   - scope: `.all` in panic mode.
    ///   - turn: Where servers of equal weight take turns and the owner counts them, as workers do that share a rotation:
    ///     the number of this turn. With nil, and where weights differ, the selection counts for itself.
    package mutating func begin(
        key: UInt64? = nil, random: UInt64 = 0, scope: Scope = .eligible, turn: UInt64? = nil
    ) {
        closeChoice()
        choice = Choice(scope: scope, key: key, random: random, turn: turn)
    }

    /// The position of the next server to consider; nil when the choice is decided or no server is left.
    package mutating func next() -> Int? {
        guard !choice.isDecided else { return nil }
        let tierCount = choice.scope == .eligible ? Tier.eligibleIndexCount : Tier.indexCount
        while choice.tierStep < tierCount {
            if let position = propose() {
                choice.proposed = position
                choice.steps += 1
                return Int(position)
            }
            guard choice.chosen < 0 else { break }
            choice.enterNextTier()
        }
        choice.isDecided = true
        return nil
    }

    /// Accepts the server that `next` proposed last.
    ///
    /// - Parameter calls: Calls in progress there, over all workers; ignored unless `needsCalls`.
    package mutating func accept(_ position: Int, calls: Int = 0) {
        precondition(position == Int(choice.proposed), "only the last proposal can be accepted")
        let server = choice.proposed
        choice.proposed = -1
        choice.accepted += 1
        switch order {
        case .ring, .smooth, .deadline, .consistentHash:
            choice.chosen = server
            choice.isDecided = true
        case .randomPair:
            let load = Int32(clamping: max(0, calls))
            let isFirst = choice.chosen < 0
            if isFirst || isLess(load, server, than: choice.chosenCalls, choice.chosen) {
                choice.chosen = server
                choice.chosenCalls = load
            }
            choice.isDecided = !isFirst
        case .leastRequests:
            acceptByLoad(server, calls: Int32(clamping: max(0, calls)))
        }
    }

    /// Ends the choice and charges the chosen server its turn. Nil if no server was accepted.
    package mutating func finish() -> Int? {
        guard choice.chosen >= 0 else {
            closeChoice()
            return nil
        }
        let chosen = choice.chosen
        let tier = choice.tierStep
        switch order {
        case .ring: if choice.turn == nil { tiers[tier].chargeRing(chosen, index: choice.index) }
        case .smooth: smooth.charge(chosen, among: tiers[tier].members, refused: choice.refused)
        case .deadline, .leastRequests: tiers[tier].heap.charge(chosen, places: &places)
        case .randomPair, .consistentHash: break
        }
        closeChoice()
        return Int(chosen)
    }

    /// Takes so many turns without work: selections of several workers that each count for themselves should not all begin
    /// with the same server.
    package mutating func skip(turns: Int) {
        for _ in 0..<turns {
            begin()
            while let position = next() { accept(position) }
            if finish() == nil { return }
        }
    }

    /// Records that a call of this worker began at a server; only `leastRequests` needs to know.
    package mutating func callBegan(_ position: Int) { adjustCalls(position, by: 1) }

    /// Records that a call of this worker ended at a server.
    package mutating func callEnded(_ position: Int) { adjustCalls(position, by: -1) }
}

extension ServerSelection {
    /// The order of the present tier.
    private var order: Order { tiers[choice.tierStep].order(hasKey: choice.key != nil) }

    private mutating func propose() -> Int32? {
        let tier = choice.tierStep
        switch order {
        case .ring: return tiers[tier].proposeInTurn(&choice)
        case .smooth: return smooth.propose(from: tiers[tier].members, &choice)
        case .deadline: return tiers[tier].heap.proposeInTurn(&choice, places: &places)
        case .leastRequests: return tiers[tier].proposeByLoad(&choice, places: &places)
        case .randomPair: return tiers[tier].proposeDrawn(&choice)
        case .consistentHash: return proposeHashed(tier)
        }
    }

    private mutating func acceptByLoad(_ server: Int32, calls: Int32) {
        let tier = choice.tierStep
        tiers[tier].heap.setCalls(of: server, calls, places: &places)
        if choice.chosen < 0 || tiers[tier].heap.precedes(server, choice.chosen, places: places) {
            choice.chosen = server
        }
    }

    /// Calls for the weight, compared without division.
    private func isLess(_ calls: Int32, _ server: Int32, than otherCalls: Int32, _ other: Int32) -> Bool {
        Int64(calls) * Int64(entries[Int(other)].weight) < Int64(otherCalls) * Int64(entries[Int(server)].weight)
    }

    private mutating func adjustCalls(_ position: Int, by change: Int32) {
        guard policy == .leastRequests else { return }
        closeChoice()
        let tier = Tier.index(isBackup: entries[position].isBackup, isEligible: isEligible(position))
        tiers[tier].heap.adjustCalls(of: Int32(truncatingIfNeeded: position), by: change, places: &places)
    }

    /// Ends the choice, puts back what it took out of the tiers, and forgets what it refused.
    mutating func closeChoice() {
        choice.isDecided = true
        choice.proposed = -1
        choice.chosen = -1
        guard choice.isUnsettled else { return }
        choice.isUnsettled = false
        refused.removeAll()
        for index in tiers.indices { tiers[index].settle(places: &places) }
    }

    private mutating func proposeHashed(_ tier: Int) -> Int32? {
        guard let key = choice.key else { return nil }
        if choice.proposed >= 0 {
            refused.insert(Int(choice.proposed))
            choice.isUnsettled = true
        }
        return tiers[tier].proposeHashed(
            &choice, key: key, eligibility: eligibility, isEligible: Tier.isEligible(tier), refused: refused)
    }
}
