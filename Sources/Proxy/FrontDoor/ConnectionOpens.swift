import Configuration
import Kernel
import RateLimiting
import Telemetry

/// How fast each address opens connections, over all workers: `connection_opens`. It outlives reloads. Its memory is bounded:
/// where there are too many addresses, those are forgotten that have used the least, and have a whole burst again.
package final class ConnectionOpens: Sendable {
    /// Places for about 262,000 addresses, in 4 MiB that are there as they are used.
    private let rates: RateTable
    /// It has a secret.
    private let hasher: KeyHasher

    init() throws(StartError) {
        do throws(SystemError) { rates = try RateTable(capacity: 1 << 18) } catch {
            throw StartError("cannot have a table for connection_opens: \(error)")
        }
        hasher = KeyHasher(seed: KeyHasher.randomSeed())
    }

    /// Counts one more connection that an address opens, unless it does so too fast. What is refused does not count.
    func open(_ address: AddressClaim, _ rate: RequestRate, now: Instant) -> Admission {
        let outcome = rates.take(address.key(hasher, under: rate), rate, now: now.nanoseconds)
        if case .refused = outcome { return .refused }
        return .admitted
    }
}

extension RequestRate {
    /// The rate of `connection_opens`: what one second has may come at once, and one connection at least.
    init(connectionOpens rate: RateText) {
        let (seconds, rest) = rate.count.quotientAndRemainder(dividingBy: max(1, rate.seconds))
        self.init(rate.count, per: rate.seconds, burst: rest == 0 ? seconds : seconds + 1)
    }
}
