import Kernel

/// Work that keeps until there is time.
extension Worker where Outside: ~Copyable {
    /// Tries backlogs that were left, keeps pools warm, lets retired servers go, and looks for the end of a drain.
    mutating func runHousekeeping() {
        guard clock.housekeepingFired() == .due else { return }
        retryAccepts()
        settleListeners()
        releaseRetired()
        sweepSessions()
        if lifecycle.isDraining { checkDrained() } else { warmPools() }
        if needsHousekeeping {
            clock.scheduleHousekeeping(at: clock.now + .milliseconds(250))
        } else if sweepsSessions {
            clock.scheduleHousekeeping(at: sessions.nextSweep)
        }
    }

    private var needsHousekeeping: Bool {
        lifecycle.isDraining || hasClosingListeners || servers.hasRetired
            || snapshot.upstreams.contains { $0.pool.minimum > 0 }
    }
}
