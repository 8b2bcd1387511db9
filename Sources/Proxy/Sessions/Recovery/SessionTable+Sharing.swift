import Kernel
import Synchronization

/// Records of sessions that several Berths share.
extension SessionTable {
    /// Whether a store is to be told of a session, or that it is in use.
    enum SharingClaim { case due, notDue }

    /// Says whether a store is to be told of the session, which the caller then does: once in `pause`.
    func claimSharing(_ key: SessionKey, at now: Instant, every pause: Interval) -> SharingClaim {
        // From 1 on: 0 is never.
        let seconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000) | 1
        var claim = SharingClaim.notDue
        update(key) { record in
            let since = UInt64(seconds &- record.sharedAt) &* 1_000_000_000
            guard record.sharedAt == 0 || since >= pause.nanoseconds else { return }
            record.sharedAt = seconds
            claim = .due
        }
        return claim
    }

    /// The store could not be told: it is to be told with the session's next request.
    func forgetSharing(_ key: SessionKey) {
        update(key) { $0.sharedAt = 0 }
    }

    /// A session that another Berth saw begin has a record here from now on, without what it was opened with.
    func openIfUnknown(_ key: SessionKey, on server: ServerID, isLearned: Bool, now: Instant, counter: Counter) {
        let isKnown = shard(key).contents.withLock { $0.records[key] != nil }
        if !isKnown { open(key, on: server, nil, isLearned: isLearned, now: now, counter: counter) }
    }

    /// Takes over what another Berth has known of a session. What was seen here stays; it is later.
    func adopt(_ key: SessionKey, _ shared: SharedRecord) {
        update(key) { record in
            guard !record.isRecoverable else { return }
            record.handshake = Handshake(params: shared.params)
            record.result = shared.result
            if record.logLevel.isEmpty { record.logLevel = shared.logLevel }
            for subscription in shared.subscriptions where !record.subscriptions.contains(subscription) {
                guard record.subscriptions.count < SessionRecord.maximumSubscriptions else { break }
                record.subscriptions.append(subscription)
            }
        }
    }
}
