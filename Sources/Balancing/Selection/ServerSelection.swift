/// Chooses among the servers of one upstream for one worker, at a cost that does not grow with their number, or only with
/// its logarithm. Each refusal costs one step more.
///
/// Pure: no clock, no randomness of its own, no memory taken after it was made. The owner tells it when a server's
/// eligibility (healthy and not draining) changes. Whether a server is full, or was already tried by this request, is
/// known only when it is asked, so a choice is a conversation:
///
///     selection.begin(key: key, random: random)
///     while let position = selection.next() {
///         guard isAcceptable(position) else { continue }
///         selection.accept(position, calls: selection.needsCalls ? calls(position) : 0)
///     }
///     guard let chosen = selection.finish() else { … }
///
/// `next` proposes servers in the policy's order, each at most once: primaries first, backups only when no primary was
/// accepted. A proposal that is not accepted is refused. `finish` charges the chosen server its turn; a choice that ends
/// without a server, or that is never finished, leaves nothing behind. One choice is made at a time: `begin` and every
/// change of a server end the one before.
package struct ServerSelection: Sendable {
    /// What a selection knows of a server. A server is named by its position in the list of entries.
    package struct Entry: Equatable, Sendable {
        /// Its share relative to the others, from 1; less counts as 1.
        package var weight: Int32
        /// Takes work only while no primary server can.
        package var isBackup: Bool
        /// `ServerTag` of its name; only the hashing policies use it.
        package var tag: UInt64

        /// A server of some weight; less than 1 counts as 1.
        package init(weight: Int32 = 1, isBackup: Bool = false, tag: UInt64) {
            self.weight = max(1, weight)
            self.isBackup = isBackup
            self.tag = tag
        }
    }

    /// The servers that may be proposed.
    package enum Scope: Sendable {
        /// Only eligible ones.
        case eligible
        /// Panic mode: the eligible ones, then the others. Of both, primaries come before backups.
        case all
    }

    /// The policy that it was made for.
    package let policy: Policy
    let entries: [Entry]
    /// By position.
    private(set) var eligibility: [Bool]
    /// Every server is a member of exactly one tier, whose index is `Tier.index(isBackup:isEligible:)`.
    var tiers: [Tier]
    var choice = Choice()
    /// Smooth weighted turns, by position; empty unless some tier takes them.
    var smooth: SmoothTurns
    /// By position, the index in its tier's heap; empty unless some tier has a heap.
    var places: [Int32]
    /// Those that the choice refused; only consistent hashing keeps them.
    var refused: PositionSet

    /// A selection in which all servers are eligible.
    package init(policy: Policy, entries: [Entry]) {
        self.policy = policy
        self.entries = entries
        eligibility = Array(repeating: true, count: entries.count)
        tiers = (0..<Tier.indexCount).map { index in
            Tier(policy: policy, weights: entries.filter { $0.isBackup == Tier.isBackup(index) }.map(\.weight))
        }
        let hasHeap = tiers.contains { $0.usesHeap }
        places = Array(repeating: -1, count: hasHeap ? entries.count : 0)
        smooth = SmoothTurns(weights: tiers.contains { $0.turnOrder == .smooth } ? entries.map(\.weight) : [])
        refused = PositionSet(capacity: policy.isHashing ? entries.count : 0)
        if policy.isHashing { makeRings() }
        for position in entries.indices {
            let entry = entries[position]
            let index = Tier.index(isBackup: entry.isBackup, isEligible: true)
            tiers[index].append(position, entry, places: &places)
        }
    }

    /// The number of servers, eligible or not.
    package var count: Int { entries.count }

    /// The number of eligible servers, backups included.
    package var eligibleCount: Int {
        tiers[Tier.index(isBackup: false, isEligible: true)].members.count
            + tiers[Tier.index(isBackup: true, isEligible: true)].members.count
    }

    /// Whether the selection was made of exactly these entries.
    package func hasEntries(_ other: [Entry]) -> Bool { entries == other }

    /// What `setEligible` said last; true at first.
    package func isEligible(_ position: Int) -> Bool { eligibility[position] }

    /// Records that a server became healthy and not draining, or no longer is. Costs a part of a microsecond with a
    /// thousand servers; nothing if nothing changed.
    ///
    /// A server that returns takes its place in the turn and has no work saved up.
    package mutating func setEligible(_ position: Int, _ isEligible: Bool) {
        guard eligibility[position] != isEligible else { return }
        closeChoice()
        eligibility[position] = isEligible
        let entry = entries[position]
        let old = Tier.index(isBackup: entry.isBackup, isEligible: !isEligible)
        let new = Tier.index(isBackup: entry.isBackup, isEligible: isEligible)
        let standing = tiers[old].remove(position, entry, places: &places)
        tiers[new].insert(position, entry, standing: standing, places: &places)
    }

    /// Gives each two tiers of a kind, the eligible and the others, the one ring of that kind.
    private mutating func makeRings() {
        for isBackup in [false, true] {
            let ring = HashRing(of: entries, isBackup: isBackup)
            for isEligible in [true, false] {
                tiers[Tier.index(isBackup: isBackup, isEligible: isEligible)].hashRing = ring
            }
        }
    }
}
