import Configuration
import HTTP
import MCP
import Reactor

/// What a route limits.
final class RouteLimits: Sendable {
    let shared: RateLimits
    /// Those of `rate_limit`, in the order of the file, and behind them that of `stream_opens`.
    let rules: [RateLimitRule]
    /// Bits of the rules that go by the session, which is known after the others have been looked at.
    let bySession: UInt32
    /// The bit of `stream_opens`; 0: there is none.
    private let opens: UInt32
    /// Bits of those that count requests of whatever content.
    private let everything: UInt32
    /// Bits of `rate_limit`.
    private let all: UInt32
    /// Bits of the rules whose rates are shared with other Berths.
    let inStores: UInt32

    /// The limits of a route; nil if it has none. `stores`: those that rules may name.
    init?(_ route: RouteConfiguration, _ shared: RateLimits, _ stores: [SharedStore] = []) {
        guard !route.rateLimits.isEmpty || route.streamOpens != nil else { return nil }
        self.shared = shared
        let place = "\(route.host ?? "")\n\(route.path.text)"
        var rules = route.rateLimits.map { RateLimitRule($0, place: place, shared, stores) }
        all = rules.indices.reduce(0) { $0 | 1 << UInt32($1) }
        everything = rules.indices.reduce(0) { $0 | (rules[$1].countsEverything ? 1 << UInt32($1) : 0) }
        if let rate = route.streamOpens {
            opens = 1 << UInt32(rules.count)
            rules.append(RateLimitRule(streamOpens: rate, place: place, shared))
        } else {
            opens = 0
        }
        inStores = rules.indices.reduce(0) { $0 | (rules[$1].sharing != nil ? 1 << UInt32($1) : 0) }
        bySession = rules.indices.reduce(0) { $0 | (rules[$1].key == .session ? 1 << UInt32($1) : 0) }
        self.rules = rules
    }

    /// Where rates are shared.
    var stores: [SharedStore] { rules.compactMap { $0.sharing?.store } }

    /// The rules that count a request, and as how many requests it counts.
    struct Match: Equatable {
        var rules: UInt32
        var count = 1
    }

    /// The rules that count the request that is parsed and at the front of `buffer`. `known` is the summary of its body, if somebody
    /// has that.
    func match(
        _ head: borrowing RequestHead, in buffer: borrowing ByteBuffer, _ kind: RequestKind, isWhole: Bool,
        known: RequestSummary?
    ) -> Match {
        switch head.method {
        case .get: return Match(rules: Self.opensStream(head, kind) ? opens : everything)
        case .post: break
        // DELETE ends a session, OPTIONS asks for a browser's sake.
        case .delete, .options: return Match(rules: 0)
        default: return Match(rules: everything)
        }
        // A large message is sent on as it comes: it could be any.
        guard isWhole else { return Match(rules: all) }
        if let body = RequestID.undividedBody(of: buffer, head) {
            return match(buffer.span.extracting(body), known)
        }
        return match(RequestID.body(of: buffer, head).span, nil)
    }

    /// The names of the rules that count a request.
    func names(of head: borrowing RequestHead, in buffer: borrowing ByteBuffer, _ kind: RequestKind) -> [String] {
        let match = match(head, in: buffer, kind, isWhole: true, known: nil)
        return rules.indices.filter { match.rules & 1 << UInt32($0) != 0 }.map { rules[$0].name }
    }

    private static func opensStream(_ head: borrowing RequestHead, _ kind: RequestKind) -> Bool {
        switch kind {
        case .streamOpening, .resumption, .session: true
        case .modern: head.acceptsEventStream
        case .legacyMessage, .sessionless, .preflight, .other: false
        }
    }

    private func match(_ body: Span<UInt8>, _ known: RequestSummary?) -> Match {
        guard let summary = known ?? RequestSummary(of: body) else { return Match(rules: all) }
        if case .batch = summary.method {
            return Match(rules: all, count: LimitedCall.messages(inBatch: body))
        }
        guard MessageNames.arePlain(in: body), summary.hasSoundTexts(in: body),
            let call = LimitedCall(summary, in: body)
        else { return Match(rules: all) }
        if call.isExempt { return Match(rules: 0) }
        var match = Match(rules: call.isListen ? opens : 0)
        var rest = all
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest - 1
            if rules[index].counts(call) { match.rules |= 1 << UInt32(index) }
        }
        return match
    }
}
