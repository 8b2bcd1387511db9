import ASCII
import HTTP
import Kernel
import Reactor

/// What listeners and routes do with requests before, or in place of, an upstream.
extension Worker where Outside: ~Copyable {
    /// What becomes of a request by the rules of its listener; nil: it is routed.
    mutating func turnAway(_ exchange: Handle) -> PhaseResult? {
        let client = exchanges[exchange].client
        let listener = clients.listener(of: client)
        if !clients.listeners[listener].plan.access.isOpen {
            let address = clientAddress(client)
            let isAdmitted = clients.listeners[listener].plan.access.admits(
                high: address.high, low: address.low, isIPv4: address.isIPv4)
            guard isAdmitted else { return .respond(.addressDenied) }
        }
        if !clients.listeners[listener].plan.hosts.isEmpty, !isServedHost(listener) { return .respond(.unknownHost) }
        guard let port = clients.listeners[listener].plan.redirectPort, !cameSecurely(client, listener),
            !asksForChallenge
        else { return nil }
        return redirectToHTTPS(exchange, port: port)
    }

    /// Takes note of what the route of a request says beside the upstream. The result, if that is not where it goes.
    mutating func applyExtras(_ exchange: Handle, ofRoute index: Int) -> PhaseResult? {
        guard let extras = snapshot.routes[index].extras else { return nil }
        if extras.outlivesRouting { exchanges.extras.insert(extras, for: exchange.slot) }
        if let limits = extras.limits { exchanges.limits[exchange.slot] = LimitedExchanges.Entry(limits) }
        if let rules = extras.frontDoor { judgeOrigin(exchange, by: rules) }
        if !extras.access.isOpen {
            let address = clientAddress(exchanges[exchange].client)
            guard extras.access.admits(high: address.high, low: address.low, isIPv4: address.isIPv4) else {
                return .respond(.addressDenied)
            }
        }
        guard let answer = extras.answer else { return nil }
        return applyVerdict(exchange) ?? respond(exchange, with: answer)
    }

    /// Whether the listener serves the host that the request is for.
    private func isServedHost(_ listener: Int) -> Bool {
        clients.listeners[listener].plan.hosts.contains { $0.matches(io.requestHead.authority.range, in: io.received) }
    }

    /// Whether the client came over TLS: to us, or to a balancer in front that may say so.
    func cameSecurely(_ client: Handle, _ listener: Int) -> Bool {
        if clients[client].isSecure { return true }
        guard clients.trusts(clients[client].address, listener) else { return false }
        for index in 0..<io.requestHead.fields.count where io.requestHead.fields[index].kind == .xForwardedProto {
            let value = io.received.span.extracting(io.requestHead.fields[index].value.range)
            if value.hasIgnoringCase("https", at: 0) { return true }
        }
        return false
    }

    /// The request is for a challenge of an ACME client, which authorities ask for in plain HTTP (RFC 8555 section 8.3).
    private var asksForChallenge: Bool {
        for index in snapshot.routes.indices
        where RequestMatch.matches(snapshot.routes[index], io.requestHead, in: io.received) {
            if case .challenges = snapshot.routes[index].extras?.answer { return true }
            return false
        }
        return false
    }
}
