import Configuration
import RateLimiting

/// One entry of a route's `rate_limit`, or its `stream_opens`, as workers apply it.
final class RateLimitRule: Sendable {
    /// Who has a limit each.
    enum Key: Sendable, Equatable {
        case address, session, route
        /// By the field's name in lower case.
        case header([UInt8])
        /// By the claim's name.
        case claim([UInt8])
    }

    let key: Key
    /// How many in a time; nil: any number.
    let rate: RequestRate?
    /// How many in progress; nil: any number.
    let concurrency: Int?
    /// Why it refuses what exceeds the rate.
    let rateReason: RateLimitReason
    /// The entry in words: what logs, metrics and clients are told.
    let name: String
    /// Has the rule's identity in it.
    let hasher: KeyHasher
    let counts: RateLimitCounts
    /// How the rate is shared with other Berths; nil: it is not.
    let sharing: RateSharing?
    private let method: [UInt8]?
    private let tool: [UInt8]?
    /// It names `initialize`, which no other rule counts.
    let namesInitialize: Bool

    /// A rule of the route whose conditions `place` says.
    init(_ configuration: RateLimitConfiguration, place: String, _ limits: RateLimits, _ stores: [SharedStore] = []) {
        key = Key(configuration.key)
        name = configuration.words
        rate = configuration.rate.map { RequestRate($0.count, per: $0.seconds, burst: configuration.burst) }
        concurrency = configuration.concurrency
        rateReason = .rate
        method = configuration.method.map { Array($0.utf8) }
        tool = configuration.tool.map { Array($0.utf8) }
        namesInitialize = configuration.method == "initialize"
        hasher = limits.hasher(of: "\(place)\n\(name)")
        counts = limits.counts(of: name)
        let isShared = rate != nil
        sharing = stores.first(for: isShared ? configuration.store : nil).map { [name] in
            RateSharing($0, rule: "\(place)\n\(name)")
        }
        if rate != nil { counts.note(.rate) }
        if concurrency != nil { counts.note(.concurrency) }
    }

    /// The rule of `stream_opens`.
    init(streamOpens: RateText, place: String, _ limits: RateLimits) {
        key = .session
        name = "stream_opens \(streamOpens.text)"
        rate = RequestRate(streamOpens.count, per: streamOpens.seconds)
        concurrency = nil
        rateReason = .streamOpens
        (method, tool, namesInitialize) = (nil, nil, false)
        hasher = limits.hasher(of: "\(place)\n\(name)")
        counts = limits.counts(of: name)
        sharing = nil
        counts.note(.streamOpens)
    }

    /// It counts requests of whatever content.
    var countsEverything: Bool { method == nil && tool == nil }

    /// Whether it counts a request. A tool that cannot be told may be any.
    func counts(_ call: LimitedCall) -> Bool {
        if call.isInitialize { return namesInitialize }
        if let method, !call.methodFits(method) { return false }
        guard let tool else { return true }
        return call.isToolCall && call.toolFits(tool)
    }
}

extension RateLimitRule.Key {
    init(_ key: RateLimitConfiguration.Key) {
        switch key {
        case .address: self = .address
        case .session: self = .session
        case .route: self = .route
        case .header(let name): self = .header(Array(name.utf8))
        case .claim(let name): self = .claim(Array(name.utf8))
        }
    }
}

extension RateLimitConfiguration {
    /// "ip initialize 30/min burst 10", "session export-* 6/min 2 at once".
    fileprivate var words: String {
        var parts = [key.text]
        if let method { parts.append(method) }
        if let tool { parts.append(tool) }
        if let rate { parts.append(rate.text) }
        if rate != nil, let burst { parts.append("burst \(burst)") }
        if let concurrency { parts.append("\(concurrency) at once") }
        return parts.joined(separator: " ")
    }
}

// MARK: - What clients are told

/// A request that a rule refuses.
struct RateLimitRefusal {
    let rule: RateLimitRule
    let reason: RateLimitReason
    /// When it may come again, in seconds, at least 1.
    var retryAfter: UInt32

    init(_ rule: RateLimitRule, _ reason: RateLimitReason, nanoseconds: UInt64) {
        self.rule = rule
        self.reason = reason
        if nanoseconds == .max {
            // It counts as more requests than a burst has.
            retryAfter = UInt32(clamping: rule.rate?.recoverySeconds ?? 1)
        } else {
            retryAfter = max(
                1, UInt32(clamping: nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0)))
        }
    }

    /// `RateLimit-Policy` and `RateLimit` as whole lines (draft-ietf-httpapi-ratelimit-headers-11). Nobody's key is in them.
    var lines: [UInt8] {
        let name = "\"\(String(decoding: rule.name.utf8.map(Self.printable), as: UTF8.self))\""
        var policy = "ratelimit-policy: \(name)"
        var limit = "ratelimit: \(name);r=0"
        if reason == .concurrency {
            policy += ";q=\(rule.concurrency ?? 1);qu=\"concurrent-requests\""
        } else if let rate = rule.rate {
            policy += ";q=\(rate.count);w=\(rate.seconds)"
            if rate.burst != rate.count { policy += ";berth-burst=\(rate.burst)" }
            limit += ";t=\(retryAfter)"
        }
        return Array("\(policy)\r\n\(limit)\r\n".utf8)
    }

    /// A byte of a string of structured fields that needs no escape (RFC 9651 section 3.3.3).
    private static func printable(_ byte: UInt8) -> UInt8 {
        (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            ? byte : UInt8(ascii: "?")
    }
}
