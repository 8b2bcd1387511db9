import Balancing
package import Configuration
import HTTP
package import Kernel
import MCP
import Reactor
import Telemetry

/// Says what a request meets: its route, its kind, whose its session is, and how its server is chosen. Everything is asked of the
/// functions that workers ask; nothing is sent.
package struct RequestExplainer: Sendable {
    /// Why there is nothing to explain.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// Why it cannot be read.
        package let description: String
    }

    private let snapshot: Snapshot
    private let metrics: Metrics
    private let isRunning: Bool
    /// Keeps the slots of the snapshot's servers.
    private let table: ServerTable
    /// Rules for clients, by listener.
    private let listeners: [ListenerRules]
    /// For ids alone.
    package let sessions: SessionInspector

    /// Explains by what a running proxy knows.
    package init(_ proxy: ProxyServer) {
        self.init(
            proxy.snapshot, proxy.table, proxy.snapshot.listeners.compactMap { ListenerRules($0) }, isRunning: true)
    }

    /// Explains by a configuration alone: names are not looked up, and all servers count as healthy. `keys` verify ids.
    package init(_ configuration: Configuration, keys: [SigningKey]) throws(StartError) {
        var plain = configuration
        plain.listeners = []
        for index in plain.upstreams.indices { plain.upstreams[index].tls = nil }
        var snapshot = try Snapshot(plain, keys: keys, names: NameLookup { _ in [.loopback(port: 0)] })
        let table = ServerTable(Metrics(workers: 1, servers: max(1, snapshot.servers.count, snapshot.upstreams.count)))
        try table.register(&snapshot)
        self.init(snapshot, table, configuration.listeners.map { ListenerRules($0) }, isRunning: false)
    }

    private init(_ snapshot: Snapshot, _ table: ServerTable, _ listeners: [ListenerRules], isRunning: Bool) {
        self.snapshot = snapshot
        self.listeners = listeners
        self.table = table
        metrics = table.metrics
        self.isRunning = isRunning
        sessions = SessionInspector(snapshot, metrics, isRunning: isRunning)
    }

    /// Explains the request in `text`, an HTTP/1.1 request with its body. `client`: its address, for policies that go by it.
    package func explain(_ text: [UInt8], from client: SocketAddress? = nil) throws(Fault) -> RequestExplanation {
        var buffer = ByteBuffer()
        buffer.append(PastedRequest.normalized(text))
        var head = RequestHead()
        switch RequestParser(limits: HeadLimits()).parse(buffer, into: &head) {
        case .complete: break
        case .incomplete: throw Fault(description: "this is no whole request: its head has no end")
        case .invalid(let error):
            throw Fault(description: "Berth answers \(ExchangeFault(error).response.status) and closes: \(error)")
        }
        let kind = RequestKind(of: head, in: buffer)
        var explanation = RequestExplanation(
            method: Self.text(buffer, head.methodName), target: Self.path(buffer, head.target),
            host: Self.text(buffer, head.authority), message: Self.message(buffer, head), kind: "\(kind)",
            kindReason: kind.reason)
        let match = snapshot.routes.firstIndex { RequestMatch.matches($0, head, in: buffer) }
        if let answer = listenerAnswer(explanation.host, from: client, match) {
            explanation.answer(answer)
            return explanation
        }
        guard let upstream = route(head, buffer, kind, client, &explanation) else { return explanation }
        explanation.upstream = snapshot.upstreams[upstream].name
        resolve(head, buffer, kind, upstream, &explanation)
        if explanation.server == nil, explanation.status == nil { choose(kind, upstream, client, &explanation) }
        return explanation
    }

    private static func text(_ buffer: borrowing ByteBuffer, _ range: ByteRange) -> String {
        String(decoding: buffer.bytes(range.range), as: UTF8.self)
    }

    private static func path(_ buffer: borrowing ByteBuffer, _ target: ByteRange) -> String {
        let text = text(buffer, target)
        return String(text.prefix { $0 != "?" })
    }

    private static func message(_ buffer: borrowing ByteBuffer, _ head: borrowing RequestHead) -> String? {
        guard head.method == .post else { return nil }
        let body = RequestID.body(of: buffer, head)
        guard let summary = RequestSummary(of: body.span) else { return body.isEmpty ? nil : "no JSON-RPC message" }
        guard !summary.methodText.isEmpty else { return "\(summary.method)" }
        let name = summary.name.map { " " + String(decoding: body[$0], as: UTF8.self) } ?? ""
        return String(decoding: body[summary.methodText], as: UTF8.self) + name
    }

    // MARK: - Route

    private func route(
        _ head: borrowing RequestHead, _ buffer: borrowing ByteBuffer, _ kind: RequestKind, _ client: SocketAddress?,
        _ explanation: inout RequestExplanation
    ) -> Int? {
        if snapshot.routes.isEmpty {
            guard !snapshot.upstreams.isEmpty else { return nil }
            explanation.route = "there are no routes: everything goes to the only upstream"
            return 0
        }
        var servesHost = false
        for (index, route) in snapshot.routes.enumerated() {
            if RequestMatch.matches(route, head, in: buffer) {
                explanation.route = "route \(index + 1): \(route.text)"
                if let extras = route.extras {
                    if extras.frontDoor?.judge(head, in: buffer) == .refused {
                        explanation.answer(.originDenied)
                        explanation.serverReason = "origin, or cors, of the route leaves its Origin out"
                        return nil
                    }
                    if let answer = extras.answer(to: client, explanation.host) {
                        explanation.answer(answer)
                        return nil
                    }
                    explanation.serverTarget = extras.serverTarget(head, buffer)
                    explanation.limits = extras.limits?.names(of: head, in: buffer, kind) ?? []
                }
                if route.checksHeaders, let fault = HeaderCheck.fault(of: head, in: buffer, kind, isWhole: true) {
                    explanation.answer(fault)
                    explanation.serverReason =
                        "its header fields do not say what its message says, and the route has check_headers"
                    return nil
                }
                return route.upstream
            }
            var anyPath = route
            anyPath.path = .any
            servesHost = servesHost || RequestMatch.matches(anyPath, head, in: buffer)
        }
        let namesSession = kind == .session || kind == .legacyMessage
        explanation.answer(!servesHost ? .unknownHost : namesSession ? .noRouteForSession : .noRoute)
        explanation.serverReason = servesHost ? "no route has this path" : "no route has this host"
        return nil
    }

    /// What the listener that a request reaches answers; nil: nothing, or it depends on which listener that is. `match`: the
    /// route of the request.
    private func listenerAnswer(_ host: String, from client: SocketAddress?, _ match: Int?) -> ExplainedAnswer? {
        let reached = ListenerRules.reached(by: host, among: listeners)
        let isChallenge = match.map { snapshot.routes[$0].extras?.isChallenge == true } ?? false
        let answers = reached.map { $0.answer(host, from: client, isChallenge: isChallenge) }
        guard let first = answers.first, answers.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    // MARK: - Session

    private func resolve(
        _ head: borrowing RequestHead, _ buffer: borrowing ByteBuffer, _ kind: RequestKind, _ upstream: Int,
        _ explanation: inout RequestExplanation
    ) {
        let plan = snapshot.upstreams[upstream]
        guard plan.affinity != .off else {
            explanation.serverReason = "upstream \(plan.name) has no session affinity"
            return
        }
        switch kind {
        case .session:
            guard let id = head.sessionID else { return }
            let facts = sessions.facts(of: buffer.bytes(id.range), inUpstream: upstream)
            explanation.session = facts
            explain(facts, plan, &explanation)
        case .legacyMessage:
            explainLegacy(head, buffer, plan, &explanation)
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other: return
        }
    }

    private func explain(_ facts: SessionFacts, _ plan: UpstreamPlan, _ explanation: inout RequestExplanation) {
        if facts.isForgotten {
            explanation.answer(.sessionNotFound)
            explanation.serverReason = "an operator has ordered that the session is forgotten"
        } else if let server = facts.presentServer {
            explanation.server = server
            explanation.serverReason =
                facts.recoveredOn != nil
                ? "the session was opened anew there when its server was lost"
                : facts.origin == .signed ? "the signed id names it" : "it has issued the id"
        } else if facts.origin == .unknown {
            explanation.answer(.sessionNotFound)
            explanation.serverReason = facts.problem
        } else {
            explanation.serverReason = (facts.problem ?? "its server is gone") + "; " + plan.lossText
            if plan.onLost == .never { explanation.answer(.sessionNotFound) }
        }
    }

    private func explainLegacy(
        _ head: borrowing RequestHead, _ buffer: borrowing ByteBuffer, _ plan: UpstreamPlan,
        _ explanation: inout RequestExplanation
    ) {
        let affinity = SessionAffinity(snapshot, metrics.view)
        let owner = affinity.owner(ofLegacy: buffer, head.target.range, in: Int(plan.id.slot), now: .now())
        switch owner {
        case .server(let slot, _):
            explanation.server = snapshot.servers.first { Int($0.id.slot) == slot }.map { snapshot.path(of: $0) }
            explanation.serverReason = "the query of the HTTP+SSE message names it"
        case .removed, .unknown:
            explanation.answer(.legacySessionNotFound)
            explanation.serverReason = "the query of the HTTP+SSE message names no server of upstream \(plan.name)"
        }
    }

    // MARK: - Choice

    private func choose(
        _ kind: RequestKind, _ upstream: Int, _ client: SocketAddress?, _ explanation: inout RequestExplanation
    ) {
        let plan = snapshot.upstreams[upstream]
        let servers = snapshot.servers[plan.servers]
        let conditions = servers.map(condition)
        explanation.candidates = zip(servers, conditions).map { server, condition in
            RequestExplanation.Candidate(
                server: snapshot.path(of: server), weight: server.weight, isBackup: server.isBackup,
                state: state(server, condition))
        }
        var availability = UpstreamAvailability()
        for (server, condition) in zip(servers, conditions) { availability.note(condition, isBackup: server.isBackup) }
        let mode = availability.mode(panicThreshold: plan.panicThreshold)
        let eligible = conditions.map { $0.isEligible(mode) }
        if plan.servers.isEmpty, !isRunning {
            explanation.serverReason =
                "the servers of upstream \(plan.name) are found while Berth runs: ask a running one"
            return
        }
        guard eligible.contains(true) else {
            explanation.answer(.noServerAvailable)
            explanation.serverReason = "no server of upstream \(plan.name) may get new work"
            return
        }
        let before = explanation.serverReason.map { $0 + "; " } ?? ""
        explanation.serverReason = before + plan.policy.reason
        guard plan.policy == .ipHash, let client else { return }
        var selection = ServerSelection(
            policy: .ipHash,
            entries: servers.map { .init(weight: $0.weight, isBackup: $0.isBackup, tag: $0.tag) })
        for (position, isEligible) in eligible.enumerated() { selection.setEligible(position, isEligible) }
        selection.begin(
            key: AddressKey.key(high: client.high, low: client.low, isIPv4: client.isIPv4), random: 0, turn: nil)
        if let position = selection.next() {
            selection.accept(position, calls: 0)
            explanation.server = snapshot.path(of: servers[servers.startIndex + position])
            explanation.serverReason = before + "the hash of the client's address \(client.host) names it"
        }
        _ = selection.finish()
    }

    private func condition(of server: ServerPlan) -> ServerCondition {
        guard isRunning else { return ServerCondition(isDraining: server.drains) }
        let slot = Int(server.id.slot)
        return ServerCondition(
            isHealthy: HealthTracker(packed: UInt64(bitPattern: metrics.view.load(.health, server: slot))).isHealthy,
            isDraining: server.drains,
            isEjected: OutlierDetector(packed: UInt64(bitPattern: metrics.view.load(.outlier, server: slot))).isEjected)
    }

    private func state(_ server: ServerPlan, _ condition: ServerCondition) -> String {
        if server.isDisabled { return "disabled" }
        return switch Availability.of(condition, for: .unpinned) {
        case .available: "available"
        case .unavailable(let reason): "\(reason)"
        }
    }
}

extension RequestExplanation {
    /// Berth answers itself.
    mutating func answer(_ fault: ExchangeFault) {
        status = fault.response.status
        reason = "\(fault.response.reason)"
    }
}

extension RoutePlan {
    /// Its conditions, in words.
    fileprivate var text: String {
        let name = host.map { "host \(String(decoding: $0, as: UTF8.self))" } ?? "any host"
        let place =
            switch path {
            case .any: "any path"
            case .exact(let path): "path \(String(decoding: path, as: UTF8.self))"
            case .prefix(let path): "paths from \(String(decoding: path, as: UTF8.self)) on"
            }
        return "\(name), \(place)"
    }
}

extension UpstreamPlan {
    /// What becomes of a session whose server is gone.
    fileprivate var lossText: String {
        switch onLost {
        case .never: "on_lost is \"never\": its client is told that it is gone"
        case .clean: "it is opened anew on another server if it holds no state (on_lost is \"clean\")"
        case .always: "it is opened anew on another server (on_lost is \"always\")"
        }
    }
}

extension Policy {
    /// How a server is chosen.
    fileprivate var reason: String {
        switch self {
        case .roundRobin: "the next in turn of those that are available, by weight (round-robin)"
        case .ipHash: "the one that the hash of the client's address names (ip-hash)"
        case .sessionHash: "the one that the hash of a key names that is drawn for the session (session-hash)"
        case .leastRequests: "the one with the fewest calls for its weight (least-requests)"
        case .powerOfTwo: "the less busy of two that are drawn (power-of-two)"
        }
    }
}

extension RequestKind {
    /// Why a request is of this kind, and what follows.
    fileprivate var reason: String {
        switch self {
        case .modern: "MCP-Protocol-Version is 2026-07-28 or later: there are no sessions, any server will do"
        case .legacyMessage: "a POST whose query names an HTTP+SSE session (2024-11-05): only its server can answer"
        case .session: "it has Mcp-Session-Id: only the session's server can answer"
        case .streamOpening: "a GET for an event stream without a session: any server will do"
        case .resumption: "a GET with Last-Event-ID and no session: any server will do"
        case .sessionless: "a POST without a session: any server will do, and its answer may open one"
        case .preflight: "OPTIONS: any server will do"
        case .other: "nothing says that it is MCP: any server will do"
        }
    }
}
