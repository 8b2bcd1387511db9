import Kernel
import Synchronization

/// Learned sessions that have begun and ended, for another process that has to know them too. Off until it is opened; then
/// bounded: one that nobody reads closes itself.
final class SessionJournal: Sendable {
    /// What has happened to a session.
    enum Change: Sendable {
        case began(SessionKey, LearnedSessions.Entry)
        case ended(SessionKey)
    }

    private struct Contents {
        var changes: [Change] = []
        /// Rung with the first change.
        var wake: Wake?
    }

    private static var limit: Int { 100_000 }

    private let isOpen = Atomic(false)
    private let contents = Mutex(Contents())

    /// Notes changes from here on, and rings `wake`.
    func open(_ wake: Wake) {
        contents.withLock { $0 = Contents(wake: wake) }
        isOpen.store(true, ordering: .releasing)
    }

    func close() {
        isOpen.store(false, ordering: .releasing)
        contents.withLock { $0 = Contents() }
    }

    /// Notes a change if anybody wants to know.
    func note(_ change: Change) {
        guard isOpen.load(ordering: .relaxed) else { return }
        let isFull = contents.withLock { contents in
            if contents.changes.isEmpty { contents.wake?.ring() }
            contents.changes.append(change)
            return contents.changes.count >= Self.limit
        }
        if isFull { close() }
    }

    /// Takes all changes, oldest first.
    func take() -> [Change] {
        contents.withLock { contents in
            defer { contents.changes = [] }
            return contents.changes
        }
    }
}

extension SessionJournal.Change {
    /// As it is told to another process.
    var message: HandoverMessage {
        switch self {
        case .began(let digest, let entry): .session(digest, entry)
        case .ended(let digest): .sessionEnded(digest)
        }
    }
}

/// Learned sessions on their way from one process to another.
extension LearnedSessions {
    /// Calls `body` for every session in the table.
    func forEach(_ body: (SessionKey, Entry) -> Void) {
        for shard in shards {
            // Copied: a lock is held for no longer than that takes.
            for (digest, entry) in shard.contents.withLock({ $0.entries }) { body(digest, entry) }
        }
    }

    /// Adds a session of another process, unless it is known as used then or later, or its shard is full. What is
    /// noted here may come back from that process, and then changes nothing.
    func restore(_ digest: SessionKey, _ entry: Entry, counter: Counter) {
        shard(digest).contents.withLock { contents in
            let known = contents.entries[digest]
            if let known, known.usedAt >= entry.usedAt { return }
            guard known != nil || contents.entries.count < shardLimit else { return }
            contents.entries[digest] = entry
            if let known, known.isCounted { counter(known.server, -1) }
            if entry.isCounted { counter(entry.server, 1) }
            journal.note(.began(digest, entry))
        }
    }

    /// Removes a session that has ended in another process.
    func forget(_ digest: SessionKey, counter: Counter) {
        shard(digest).contents.withLock { contents in
            guard let entry = contents.entries.removeValue(forKey: digest) else { return }
            if entry.isCounted { counter(entry.server, -1) }
            journal.note(.ended(digest))
        }
    }
}
