import Synchronization

/// Records of sessions on their way from one process to another.
extension SessionTable {
    /// Calls `body` for every record, those of sessions that were recovered first: without theirs a session is lost.
    func forEachRecord(_ body: (SessionKey, SessionRecord) -> Void) {
        for wantsRecovered in [true, false] {
            for shard in shards {
                let records = shard.contents.withLock { $0.records }
                for (key, record) in records where (record.recoveredID != nil) == wantsRecovered { body(key, record) }
            }
        }
    }

    /// Takes a record over that another process has, unless this one knows of later recoveries of the session. What either
    /// knows to hold state holds state.
    func restore(_ key: SessionKey, _ record: SessionRecord, counter: Counter) {
        shard(key).contents.withLock { contents in
            var record = record
            if let own = contents.records[key] {
                record.isDirty = record.isDirty || own.isDirty
                record.usedAt = max(record.usedAt, own.usedAt)
                guard record.recovery.generation >= own.recovery.generation, !own.recovery.isUnderWay else {
                    contents.records[key]?.isDirty = record.isDirty
                    return
                }
                record.recovery.paidAt = own.recovery.paidAt
            } else if contents.records.count >= limit {
                return
            }
            if contents.bytes + record.byteCount > byteLimit { record.handshake = nil }
            Self.replace(&contents, key, with: record, counter)
        }
    }

    // MARK: - Changes

    /// Takes note of changes from here on, or no more.
    func trackChanges(_ isWanted: Bool) {
        changed.withLock { $0 = [] }
        tracksChanges.store(isWanted, ordering: .relaxed)
    }

    /// The session has ended in another process, which has counted its end.
    func remove(_ key: SessionKey, counter: Counter) {
        shard(key).contents.withLock { Self.replace(&$0, key, with: nil, counter) }
    }

    /// The records that have changed since the last call; nil for a session that has ended.
    func takeChanges() -> [(SessionKey, SessionRecord?)] {
        guard tracksChanges.load(ordering: .relaxed) else { return [] }
        let keys = changed.withLock { keys in
            defer { keys = [] }
            return keys
        }
        return keys.map { ($0, record(of: $0)) }
    }

    /// A record has changed, is new, or is gone.
    func noteChange(_ key: SessionKey) {
        guard tracksChanges.load(ordering: .relaxed) else { return }
        changed.withLock { keys in if keys.count < Self.maximumChanges { keys.insert(key) } }
    }

    private static var maximumChanges: Int { 100_000 }
}
