import Kernel
import MCP
import Reactor
import Telemetry

/// Tells whose a session is from its id, by what workers tell it by.
package struct SessionInspector: Sendable {
    private let snapshot: Snapshot
    private let affinity: SessionAffinity
    /// What the process knows of sessions is there; else there is the configuration only.
    private let isRunning: Bool

    init(_ snapshot: Snapshot, _ metrics: Metrics, isRunning: Bool) {
        self.snapshot = snapshot
        self.isRunning = isRunning
        affinity = SessionAffinity(snapshot, metrics.view)
    }

    /// The facts of an id, looked for in all upstreams.
    package func facts(of id: String) -> SessionFacts {
        let bytes = Array(id.utf8)
        var found: SessionFacts?
        for index in snapshot.upstreams.indices {
            let facts = facts(of: bytes, inUpstream: index)
            if facts.server != nil { return facts }
            if found == nil || found?.origin == .unknown { found = facts }
        }
        return found ?? SessionFacts(.unknown, problem: "there is no upstream")
    }

    /// The facts of an id in a request to the upstream with this index.
    func facts(of id: [UInt8], inUpstream index: Int) -> SessionFacts {
        let plan = snapshot.upstreams[index]
        var buffer = ByteBuffer()
        buffer.append(id)
        var facts: SessionFacts
        switch affinity.owner(ofSession: buffer, 0..<id.count, in: Int(plan.id.slot), now: .now()) {
        case .server(let slot, let key):
            facts = known(id, plan, key)
            facts.server = server(inSlot: slot).map { snapshot.path(of: $0) }
        case .removed(let key):
            facts = known(id, plan, key)
            facts.problem = "its server is disabled, or in the configuration no more"
        case .unknown:
            facts = SessionFacts(.unknown, problem: problem(with: id, plan))
        }
        facts.upstream = plan.name
        return facts
    }

    private func known(_ id: [UInt8], _ plan: UpstreamPlan, _ key: SessionKey) -> SessionFacts {
        var facts = SessionFacts(plan.affinity == .signed ? .signed : .learned)
        if let signed = SignedSessionID.parse(id.span)?.signed, plan.affinity == .signed {
            facts.keyID = signed.keyID
            facts.issuedAt = signed.issuedAt
            facts.carriesIDVerbatim = signed.carriesIDVerbatim
        }
        guard isRunning else { return facts }
        facts.digest = key.digest
        guard let record = snapshot.sessionTable?.record(of: key) else { return facts }
        facts.isRecorded = true
        facts.isDirty = record.isDirty
        facts.isForgotten = record.isForgotten
        if record.recoveredID != nil {
            facts.recoveredOn = server(inSlot: Int(record.server.slot)).map { snapshot.path(of: $0) }
        }
        return facts
    }

    private func server(inSlot slot: Int) -> ServerPlan? { snapshot.servers.first { Int($0.id.slot) == slot } }

    /// Why an id is none of an upstream.
    private func problem(with id: [UInt8], _ plan: UpstreamPlan) -> String {
        switch plan.affinity {
        case .off: return "upstream \(plan.name) has no session affinity: any server may get it"
        case .learned:
            return isRunning
                ? "no server of upstream \(plan.name) has issued it while this process ran"
                : "upstream \(plan.name) learns ids: only the running process knows whose they are"
        case .signed: break
        }
        guard let signed = SignedSessionID.parse(id.span)?.signed else {
            return "it is no id that Berth has signed, or not all of it"
        }
        guard snapshot.keys.contains(where: { $0.id == signed.keyID }) else {
            let numbers = snapshot.keys.map { "\($0.id)" }.joined(separator: ", ")
            return "it is signed with key \(signed.keyID), and the keys here are \(numbers.isEmpty ? "none" : numbers)"
        }
        return "its signature is wrong: it was changed, or signed with another key that has the same number"
    }
}
