import HTTP
import Kernel
import MCP
import Reactor

/// What stands before everything else that a request may meet: where it comes from.
extension Worker where Outside: ~Copyable {
    /// Whether the request may go on, by the page that it comes from; nil: it may. Its head must be parsed and at the front of
    /// `io.received`.
    @inline(__always)
    mutating func checkFrontDoor(_ exchange: Handle) -> PhaseResult? {
        if snapshot.memoryLimit != nil, isShed(exchange) { return .respond(.memoryShort) }
        return exchanges.extras.isEmpty ? nil : applyVerdict(exchange)
    }

    /// Whether the process is short of memory, and the request is the beginning of something. Sessions that are open go on, and
    /// can be ended.
    private func isShed(_ exchange: Handle) -> Bool {
        guard metrics.memoryLevel != .normal, !clients.isInternal(exchanges[exchange].client) else { return false }
        if case .delete = exchanges[exchange].method { return false }
        return switch exchanges[exchange].kind {
        case .modern, .sessionless, .streamOpening, .resumption, .other: true
        case .session, .legacyMessage, .preflight: false
        }
    }

    /// Does what was found of the page that a request comes from; nil: it may go on.
    @inline(never)
    mutating func applyVerdict(_ exchange: Handle) -> PhaseResult? {
        guard let rules = exchanges.extras[exchange.slot]?.frontDoor else { return nil }
        switch exchanges.extras.verdict(exchange.slot) {
        case .refused: return .respond(.originDenied)
        case .served: return nil
        case .mayRead:
            guard rules.sharing != nil, CrossOriginRules.isPreflight(io.requestHead, in: io.received) else {
                return nil
            }
            return respond(exchange, with: CrossOriginRules.preflightAnswer(io.requestHead, in: io.received))
        }
    }

    /// Judges where a request comes from. From here on all that is said to its client has what pages need to read it.
    mutating func judgeOrigin(_ exchange: Handle, by rules: FrontDoorRules) {
        exchanges.extras.setVerdict(rules.judge(io.requestHead, in: io.received), for: exchange.slot)
    }

    /// Has the server's own fields for pages of other origins left out, and puts the route's in.
    mutating func replaceCrossOriginFields(_ exchange: Handle, _ rules: CrossOriginRules) {
        io.dropCrossOriginFields()
        io.composed.append(rules.fieldLines(exchanges.extras.verdict(exchange.slot)))
    }

    /// What is changed in a response of the proxy's own to a request that is no exchange yet, whose head is parsed and at the
    /// front of `io.received`; nil: nothing.
    func editsOfRejection() -> ResponseFieldEdits? {
        for index in snapshot.routes.indices
        where RequestMatch.matches(snapshot.routes[index], io.requestHead, in: io.received) {
            guard let rules = snapshot.routes[index].extras?.frontDoor, let sharing = rules.sharing else { return nil }
            var edits = ResponseFieldEdits()
            edits.share(by: sharing, rules.judge(io.requestHead, in: io.received))
            return edits
        }
        return nil
    }
}

extension ResponseFieldEdits {
    /// Replaces what is said to pages of other origins.
    mutating func share(by rules: CrossOriginRules, _ verdict: OriginVerdict) {
        dropsCrossOrigin = true
        lines += rules.fieldLines(verdict)
    }
}
