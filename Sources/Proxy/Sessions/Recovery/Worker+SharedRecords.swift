import Configuration
import HTTP
import Kernel
import MCP
import Reactor
import Redis

/// How sessions were opened, as several Berths share it: with `on_lost = "always"` a session whose Berth is gone together with its
/// server is recovered by another one. Nothing waits for a record to be kept; a recovery waits for one for `store_wait` at most.
extension Worker where Outside: ~Copyable {
    // MARK: - Telling

    /// What all Berths have for a session that a response opens, whose head is parsed and at the front of `io.received`; `none` if its
    /// record is not shared.
    func commonKey(ofOpened key: SessionKey, _ exchange: Handle) -> SessionKey {
        let upstream = Int(exchanges[exchange].upstream)
        guard servers.upstreams[upstream].plan.records != nil else { return .none }
        guard servers.upstreams[upstream].plan.affinity == .learned else {
            return SessionAffinity.commonKey(ofSigned: key, in: upstream)
        }
        guard let value = io.responseHead.sessionID else { return .none }
        return SessionSharing.commonKey(ofLearned: qualified(io.received.bytes(value.range), exchange).span)
    }

    /// What all Berths have for the session of an id that a client has sent; `none` if its record is not shared.
    func commonKey(_ key: SessionKey, sent id: [UInt8], _ exchange: Handle) -> SessionKey {
        let upstream = Int(exchanges[exchange].upstream)
        guard servers.upstreams[upstream].plan.records != nil else { return .none }
        guard servers.upstreams[upstream].plan.affinity == .learned else {
            return SessionAffinity.commonKey(ofSigned: key, in: upstream)
        }
        return SessionSharing.commonKey(ofLearned: qualified(id, exchange).span)
    }

    /// It is known how a session was opened, and what its server said: other Berths are told.
    mutating func shareRecord(_ exchange: Handle, _ key: SessionKey, _ common: SessionKey) {
        let upstream = Int(exchanges[exchange].upstream)
        guard common != .none, let sharing = servers.upstreams[upstream].plan.records, let table = sessions.table,
            let record = table.record(of: key)
        else { return }
        let name = sharing.name(of: common)
        let idle = max(1_000, servers.upstreams[upstream].plan.sessionIdle.nanoseconds / 1_000_000)
        _ = table.claimSharing(key, at: clock.now, every: Interval(nanoseconds: 0))
        let command: RedisCommand
        if let text = SharedRecord(record)?.text(name: name) {
            command = .set(key: RecordSharing.key(ofName: name), value: text, milliseconds: idle)
        } else {
            // Another Berth has told the store; it is to stay there as long as the session is used.
            command = .expire(key: RecordSharing.key(ofName: name), milliseconds: idle)
        }
        let result = upstreams.stores.submit(command, to: sharing.store, .keepRecord, session: key, at: clock.now)
        if result == .declined { table.forgetSharing(key) }
    }

    /// A request of a session goes to its server. Once in a while, and when it changes what is replayed, the store is told.
    @inline(never)
    mutating func refreshRecord(_ exchange: Handle, _ key: SessionKey, changes: Bool) {
        let idle = servers.upstreams[Int(exchanges[exchange].upstream)].plan.sessionIdle
        let pause = Interval(nanoseconds: changes ? 0 : min(60_000_000_000, idle.nanoseconds / 4))
        guard let table = sessions.table, table.claimSharing(key, at: clock.now, every: pause) == .due,
            let common = commonKey(exchange, key)
        else { return }
        shareRecord(exchange, key, common)
    }

    /// A client has ended its session.
    mutating func forgetRecord(_ common: SessionKey, in upstream: Int) {
        guard let sharing = servers.upstreams[upstream].plan.records else { return }
        _ = upstreams.stores.submit(
            .delete(key: RecordSharing.key(ofName: sharing.name(of: common))), to: sharing.store, .forget, at: clock.now
        )
    }

    // MARK: - Asking

    /// Whether a recovery waits for a store.
    enum RecordSearch { case asking, notAsking }

    /// A session is to be recovered of which it is not known here how it was opened. The request is at the front of `io.received`.
    mutating func searchRecord(_ start: Recoveries.Start) -> RecordSearch {
        guard !start.hasAskedStore, let sharing = servers.upstreams[start.upstream].plan.records,
            let common = commonKey(start.exchange, start.key)
        else { return .notAsking }
        let name = sharing.name(of: common)
        var start = start
        start.hasAskedStore = true
        let until = clock.now + sharing.wait
        let id = sessions.recoveries.searches.begin(start, name: name, in: sharing.store, until: until)
        let purpose = StorePurpose(use: .findRecord, search: id, sentAt: clock.now)
        let client = upstreams.stores.index(of: sharing.store)
        guard
            upstreams.stores.submit(.get(key: RecordSharing.key(ofName: name)), purpose, client, at: clock.now)
                == .submitted
        else {
            _ = sessions.recoveries.searches.end(id)
            return .notAsking
        }
        exchanges.setDeadline(start.exchange, until, &clock)
        return .asking
    }

    /// A store has answered, or will not: the recovery goes on before the worker sleeps.
    mutating func takeRecord(_ id: UInt32, _ answer: StoreAnswer) {
        guard let (start, name) = sessions.recoveries.searches.end(id) else { return }
        if case .value(let text) = answer, let shared = SharedRecord(text, name: name) {
            sessions.table?.adopt(start.key, shared)
        }
        sessions.recoveries.found.append(start)
    }

    /// The time for searches of a session's record may be over.
    mutating func endLateSearches(_ key: SessionKey) {
        for (start, store) in sessions.recoveries.searches.takeLate(for: key, at: clock.now) {
            noteLate(store, .findRecord)
            sessions.recoveries.found.append(start)
        }
    }
}
