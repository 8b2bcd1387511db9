import Kernel
import RateLimiting
import Synchronization
import Telemetry

/// Who shares a bound of `max_connections_per_address` or `connection_opens`: an IPv4 address, or the network of an IPv6 address, at one listener. A
/// host chooses the last 64 bits of its IPv6 addresses itself (RFC 4291 section 2.5.4).
struct AddressClaim: Hashable {
    private let network: UInt64
    /// The whole of an IPv4 address; that is none of the networks above.
    private let host: UInt32
    private let isIPv4: Bool
    private let listener: Int32

    init(_ address: SocketAddress, listener: Int) {
        isIPv4 = address.isIPv4
        network = address.isIPv4 ? 0 : address.high
        host = address.isIPv4 ? UInt32(truncatingIfNeeded: address.low) : 0
        self.listener = Int32(truncatingIfNeeded: listener)
    }

    /// Stands for it in a table, under a rate: under another one it begins anew. `hasher` has a secret and nothing else.
    func key(_ hasher: KeyHasher, under rate: RequestRate) -> UInt64 {
        var hasher = hasher
        hasher.combine(UInt64(rate.count))
        hasher.combine(UInt64(rate.seconds))
        hasher.combine(network)
        hasher.combine(UInt64(host) << 32 | UInt64(UInt32(bitPattern: listener)))
        hasher.combine(isIPv4 ? 1 : 0)
        return hasher.finish()
    }
}

/// How many connections each address has, over all workers. It has an entry for every address that is connected, and for no
/// other. Asked when connections begin and end only.
package final class AddressCounts: Sendable {
    private struct Shard: ~Copyable, Sendable {
        let counts = Mutex<[AddressClaim: Int32]>([:])
    }

    /// Several, so that workers that accept do not wait for each other.
    private let first = Shard()
    private let second = Shard()
    private let third = Shard()
    private let fourth = Shard()

    package init() {}

    /// Counts one more connection of an address, unless it has `limit` already.
    func claim(_ address: AddressClaim, limit: Int) -> Admission {
        withCounts(of: address) { counts in
            let count = counts[address, default: 0]
            guard count < limit else { return .refused }
            counts[address] = count + 1
            return .admitted
        }
    }

    /// One less.
    func release(_ address: AddressClaim) {
        withCounts(of: address) { counts in
            guard let count = counts[address] else { return }
            counts[address] = count > 1 ? count - 1 : nil
        }
    }

    /// Addresses that are connected.
    var addressCount: Int {
        first.counts.withLock(\.count) + second.counts.withLock(\.count) + third.counts.withLock(\.count)
            + fourth.counts.withLock(\.count)
    }

    private func withCounts<Result: Sendable>(
        of address: AddressClaim, _ change: (inout sending [AddressClaim: Int32]) -> sending Result
    ) -> Result {
        switch address.hashValue & 3 {
        case 0: first.counts.withLock(change)
        case 1: second.counts.withLock(change)
        case 2: third.counts.withLock(change)
        default: fourth.counts.withLock(change)
        }
    }
}

/// The part that one worker's clients have in the counts.
struct AddressClaims {
    private let counts: AddressCounts
    /// By the client's slot. Empty where no listener has such a bound.
    private var bySlot: [UInt32: AddressClaim] = [:]

    init(_ counts: AddressCounts) {
        self.counts = counts
    }

    /// Counts a connection that is yet to be a client.
    func claim(_ address: SocketAddress, listener: Int, limit: Int) -> AddressClaim? {
        let claim = AddressClaim(address, listener: listener)
        return counts.claim(claim, limit: limit) == .admitted ? claim : nil
    }

    /// It became this one.
    mutating func keep(_ claim: AddressClaim, for slot: UInt32) { bySlot[slot] = claim }

    /// It became none.
    func release(_ claim: AddressClaim) { counts.release(claim) }

    /// The client is gone.
    @inline(__always)
    mutating func discard(_ slot: UInt32) {
        if bySlot.isEmpty { return }
        if let claim = bySlot.removeValue(forKey: slot) { counts.release(claim) }
    }
}
