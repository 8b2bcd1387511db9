package import Kernel
import Reactor
import Synchronization
import Telemetry

/// A running proxy that another process takes the place of.
extension ProxyServer: UpgradeSource {
    /// From here on, until `upgradeFailed`, no listener comes or goes.
    package var listeningSockets: [InheritedSockets.Address] {
        isUpgrading.withLock { isUpgrading in
            isUpgrading = true
            return current.withLock { $0.sockets.handedOver($0.snapshot.listeners) }
        }
    }

    /// The listeners may change again.
    package func upgradeFailed() {
        isUpgrading.withLock { $0 = false }
        snapshot.learned?.journal.close()
        snapshot.sessionTable?.trackChanges(false)
    }

    /// Everything that is worth knowing from the start: identities, health, counters and learned sessions.
    package func stateLines() -> String {
        var messages: [HandoverMessage] = table.servers.map { .server($0.id, table.health(of: $0.id), key: $0.key) }
        messages += table.upstreams.map { .upstream($0.id, key: $0.key) }
        let snapshot = snapshot
        messages += orders(in: snapshot)
        messages += snapshot.handedOverServers.map { .discovered($0) }
        handover.told.withLock { $0 = [:] }
        handover.toldHistograms.withLock { $0 = [:] }
        messages += changedCounters() + changedHistograms()
        messages += records()
        guard let learned = snapshot.learned else { return Self.text(messages) }
        handover.tellsPredecessor.store(false, ordering: .relaxed)
        // What happens while the table is read is in the journal.
        learned.journal.open(changes)
        messages.append(.sessionKey(learned.key))
        learned.forEach { digest, entry in
            messages.append(.session(digest, entry))
        }
        return Self.text(messages)
    }

    /// What operators have ordered.
    private func orders(in snapshot: Snapshot) -> [HandoverMessage] {
        snapshot.servers.flatMap { plan -> [HandoverMessage] in
            let key = snapshot.path(of: plan)
            let weight = plan.orderedWeight.map { HandoverMessage.weight($0, key: key) }
            return (plan.isOrderedToDrain ? [.drained(key: key)] : []) + (plan.isDisabled ? [.disabled(key: key)] : [])
                + (weight.map { [$0] } ?? [])
        }
    }

    /// Counters that have changed since they were told, and learned sessions that have begun or ended.
    package func changeLines() -> String {
        let records = snapshot.sessionTable?.takeChanges().map { key, record in
            record.map { HandoverMessage.record(HandoverRecord(key, $0)) } ?? .recordEnded(key)
        }
        return Self.text(changedCounters() + changedHistograms() + (records ?? [])) + sessionChangeLines()
    }

    /// What is known of sessions, as far as it is to be handed over. What changes while the table is read is told later.
    private func records() -> [HandoverMessage] {
        guard let table = snapshot.sessionTable else { return [] }
        table.trackChanges(true)
        var messages: [HandoverMessage] = []
        var bytes = 0
        table.forEachRecord { key, record in
            bytes += 2 * record.byteCount + 128
            if bytes < Self.maximumRecordBytes { messages.append(.record(HandoverRecord(key, record))) }
        }
        return messages
    }

    /// Of the text of all records: more would hold up the new process.
    private static var maximumRecordBytes: Int { 128 << 20 }

    /// Learned sessions that have begun or ended since the last call, as lines with their ends.
    func sessionChangeLines() -> String { Self.text(snapshot.learned?.journal.take().map(\.message) ?? []) }

    /// Takes a session over that the new process has learned, or that has ended there.
    package func receive(line: String) {
        switch HandoverMessage(line) {
        case .session(let key, let entry): restore(key, entry)
        case .sessionEnded(let key): forget(key)
        default: break
        }
    }

    /// Leaves the sockets that the new process accepts at. The others stay open until the drain.
    package func leaveListeners(except unused: [Descriptor]) {
        let all = current.withLock { $0.sockets.handedOver([]) }.flatMap(\.descriptors)
        let taken = all.filter { !unused.contains($0) }
        for mailbox in mailboxes { mailbox.postAlways(.listenersTaken(taken)) }
    }

    private static func text(_ messages: [HandoverMessage]) -> String {
        var text = ""
        for message in messages {
            let line = message.line
            guard line.utf8.count < LineChannel.longestLine, !line.utf8.contains(UInt8(ascii: "\n")) else { continue }
            text += line
            text += "\n"
        }
        return text
    }

    private func changedCounters() -> [HandoverMessage] {
        let values = counters()
        return handover.told.withLock { told in
            values.compactMap { counter, value in
                guard told[counter, default: 0] != value else { return nil }
                told[counter] = value
                return switch counter {
                case .server(let slot, let name): .serverCounter(slot: slot, name: name, value: value)
                case .process(let group, let name): .counter(group: group, name: name, value: value)
                }
            }
        }
    }

    /// Every counter with its value, what was inherited included.
    private func counters() -> [(HandoverState.Counter, Int64)] {
        var found: [(HandoverState.Counter, Int64)] = []
        for (id, _) in table.servers {
            for metric in ServerMetric.allCases where metric.isCounter {
                let value = metrics.sum(metric, server: Int(id.slot))
                found.append((.server(slot: id.slot, name: "\(metric)"), value))
            }
        }
        for metric in ExchangeMetric.allCases {
            found.append((.process(group: "exchange", name: "\(metric)"), metrics.sum(metric)))
        }
        for fault in ExchangeFault.allCases {
            let value = metrics.rejections(reason: Int(fault.rawValue))
            found.append((.process(group: "rejection", name: "\(fault)"), value))
        }
        for counter in AbuseCounter.allCases {
            found.append((.process(group: "abuse", name: "\(counter)"), metrics.view.load(counter)))
        }
        for refusal in ProxyRefusal.allCases {
            found.append((.process(group: "proxy-protocol", name: "\(refusal)"), metrics.view.load(refusal)))
        }
        for refusal in ConnectionRefusal.allCases {
            found.append((.process(group: "connection", name: "\(refusal)"), metrics.view.load(refusal)))
        }
        return found
    }
}

/// A running proxy that has taken the place of another process.
extension ProxyServer {
    /// Inherited sockets that no listener has claimed. The caller closes them.
    package var unclaimedSockets: [Descriptor] {
        current.withLock { $0.sockets.inherited.unclaimed }.flatMap(\.descriptors)
    }

    /// Takes over what the process before knew. Before any thread runs.
    func restore(_ state: HandoverState) {
        for (id, health, _) in state.servers where table.contains(id) { table.restore(health, of: id) }
        for (counter, value) in state.totals { add(value, to: counter, state) }
        for histogram in state.histograms.values { inherit(histogram, state) }
        for (key, entry) in state.sessions { restore(key, entry) }
        for record in state.records { restore(record) }
        guard let learned = snapshot.learned else { return }
        learned.journal.open(changes)
        handover.tellsPredecessor.store(true, ordering: .relaxed)
    }

    /// Takes over what the process before says while it drains. `totals` has the last value of each counter.
    func take(_ message: HandoverMessage, after totals: inout HandoverState) {
        let counter: HandoverState.Counter
        switch message {
        case .serverCounter(let slot, let name, _): counter = .server(slot: slot, name: name)
        case .counter(let group, let name, _): counter = .process(group: group, name: name)
        case .histogram(let histogram):
            let before = totals.histograms[histogram.identity]
            totals.add(message)
            inherit(histogram.since(before), totals)
            return
        case .session(let key, let entry): return restore(key, entry)
        case .sessionEnded(let key): return forget(key)
        case .record(let record): return restore(record)
        case .recordEnded(let key):
            snapshot.sessionTable?.remove(key, counter: count)
            return
        case .server, .upstream, .drained, .disabled, .weight, .discovered, .sessionKey, .complete, .ready, .failed:
            return
        }
        let before = totals.totals[counter, default: 0]
        totals.add(message)
        add((totals.totals[counter] ?? before) &- before, to: counter, totals)
    }

    private func add(_ delta: Int64, to counter: HandoverState.Counter, _ state: HandoverState) {
        guard delta > 0 else { return }
        switch counter {
        case .server(let slot, let name):
            guard let id = state.server(inSlot: slot), table.contains(id),
                let metric = ServerMetric.allCases.first(where: { "\($0)" == name }), metric.isCounter
            else { return }
            metrics.inherited.add(metric, server: Int(slot), delta)
        case .process("exchange", let name):
            ExchangeMetric.allCases.first { "\($0)" == name }.map { metrics.inherited.add($0, delta) }
        case .process("rejection", let name):
            ExchangeFault.allCases.first { "\($0)" == name }.map {
                metrics.inherited.addRejections(reason: Int($0.rawValue), delta)
            }
        case .process("abuse", let name):
            AbuseCounter.allCases.first { "\($0)" == name }.map { metrics.view.add($0, delta) }
        case .process("proxy-protocol", let name):
            ProxyRefusal.allCases.first { "\($0)" == name }.map { metrics.view.add($0, delta) }
        case .process("connection", let name):
            ConnectionRefusal.allCases.first { "\($0)" == name }.map { metrics.view.add($0, delta) }
        case .process: break
        }
    }

    private func restore(_ key: SessionKey, _ entry: LearnedSessions.Entry) {
        if table.contains(entry.server) { snapshot.learned?.restore(key, entry, counter: count) }
    }

    private func restore(_ record: HandoverRecord) {
        guard table.contains(record.server), let records = snapshot.sessionTable else { return }
        records.restore(record.key, record.record, counter: count)
        if record.recoveredID != nil { metrics.view.noteRecovery() }
    }

    private func forget(_ key: SessionKey) { snapshot.learned?.forget(key, counter: count) }

    private func count(_ server: ServerID, _ change: Int64) {
        if table.contains(server) { metrics.view.add(.sessions, server: Int(server.slot), change) }
    }

    /// Nobody is to be told of new sessions any more, unless a successor is.
    func stopTellingPredecessor() {
        if handover.tellsPredecessor.exchange(false, ordering: .relaxed) { snapshot.learned?.journal.close() }
    }
}
