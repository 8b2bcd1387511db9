extension TableReader {
    /// The entries of `rate_limit`. `knowsCallers`: the route has `auth`.
    mutating func rateLimits(knowsCallers: Bool) -> [RateLimitConfiguration] {
        guard let (values, entry) = list("rate_limit", of: .tables) else { return [] }
        if values.count > RateLimitConfiguration.maximumEntries {
            findings.report(
                entry.key, "rate_limit has \(values.count) entries",
                because: "every request is compared with each: at most \(RateLimitConfiguration.maximumEntries)")
        }
        let path = path.key("rate_limit")
        var limits: [RateLimitConfiguration] = []
        for (index, value) in values.enumerated() {
            guard case .table(let table) = value.content else {
                findings.report(
                    value.range, "this entry of rate_limit is \(value.kind)", because: "an entry is a table",
                    help: "{ key = \"ip\", rate = \"30/min\" }")
                continue
            }
            let before = findings.errors.count
            let reader = TableReader(table, at: value.range, path: path.element(index), findings: findings)
            guard let limit = RateLimitConfiguration.read(from: reader), findings.errors.count == before else {
                continue
            }
            if case .claim(let claim) = limit.key, !knowsCallers { reportClaim(claim, table, value) }
            if limits.contains(where: { $0.limitsTheSame(as: limit) }) {
                findings.report(
                    value.range, "this entry of rate_limit is there twice", because: "each request would count twice")
            }
            limits.append(limit)
        }
        return limits
    }

    private func reportClaim(_ claim: String, _ table: LocatedTable, _ value: LocatedValue) {
        let range = table.entries.first { $0.name == "key" }?.value.range
        findings.report(
            range ?? value.range, "key = \(TOMLText.quoted("claim:\(claim)")) on a route without auth",
            because: "a claim counts once it is verified, and this route verifies no callers",
            help: "auth = { ... } on the same route, or key = \"ip\"")
    }

    /// A rate for which "off", the default, stands for any: `stream_opens` and `connection_opens`.
    mutating func rateOrOff(_ key: String) -> RateText? {
        note(key, .text, .off)
        guard let entry = take(key) else { return nil }
        if case .string("off") = entry.value.content { return nil }
        return rate(entry)
    }

    /// The rate of an entry; nil, and reported, if it is none.
    fileprivate func rate(_ entry: LocatedTable.Entry) -> RateText? {
        let examples = "a rate is a number and a time, such as \"100/s\", \"30/min\", \"6/h\" or \"1000/d\""
        guard case .string(let text) = entry.value.content else {
            var help: String?
            if case .integer(let number) = entry.value.content, number > 0 {
                help = "\(entry.name) = \"\(number)/min\""
            }
            wrongType(entry, "a rate", examples, help: help)
            return nil
        }
        guard let rate = RateText(text) else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a rate", because: examples,
                help: RateText.correction(of: text).map { "\(entry.name) = \"\($0)\"" })
            return nil
        }
        guard rate.count <= 100_000 * rate.seconds else {
            findings.report(
                entry.value.range, "\(quote(entry)) is out of range", because: "a rate may be 100_000 a second at most")
            return nil
        }
        return rate
    }
}

extension RateLimitConfiguration {
    /// An entry; nil if it is none, which is reported.
    fileprivate static func read(from reader: consuming TableReader) -> RateLimitConfiguration? {
        let key = reader.limitKey()
        var limit = RateLimitConfiguration(key: key ?? .route)
        limit.method = reader.limitedMethod()
        limit.tool = reader.limitedTool(beside: limit.method)
        reader.note("rate", .text)
        if let entry = reader.take("rate") { limit.rate = reader.rate(entry) }
        reader.note("burst", .integer(1...1_000_000))
        if let entry = reader.take("burst") { limit.burst = reader.burst(entry, of: limit.rate) }
        reader.note("concurrency", .integer(1...10_000))
        if let entry = reader.take("concurrency") {
            limit.concurrency = reader.integer(entry, in: 1...10_000, ": requests in progress")
        }
        limit.store = reader.sharedRateStore()
        if !reader.has("rate"), !reader.has("concurrency") {
            reader.report(
                reader.range, "this entry of rate_limit limits nothing",
                because: "it says how many requests there may be in a time, or at once",
                help: "rate = \"30/min\", or concurrency = 2")
        }
        reader.finish()
        return key == nil ? nil : limit
    }
}

extension TableReader {
    fileprivate mutating func limitKey() -> RateLimitConfiguration.Key? {
        let kinds = "\"ip\", \"session\", \"header:NAME\", \"route\" or \"claim:NAME\""
        guard let (text, entry) = text("key") else {
            if !has("key") {
                report(
                    range, "this entry of rate_limit has no key", because: "it says who has a limit each: \(kinds)",
                    help: "key = \"ip\"")
            }
            return nil
        }
        switch text {
        case "ip": return .address
        case "session": return .session
        case "route": return .route
        default: break
        }
        if text.hasPrefix("header:") { return headerKey(String(text.dropFirst(7)), entry) }
        if text.hasPrefix("claim:") { return claimKey(String(text.dropFirst(6)), entry) }
        let meant = [
            "address": "ip", "client": "ip", "addr": "ip", "global": "route", "all": "route", "user": "claim:sub",
            "mcp-session-id": "session", "authorization": "header:authorization",
        ]
        findings.report(
            entry.value.range, "\(quote(entry)) is not known", because: "key is \(kinds)",
            help: (meant[text.lowercased()] ?? Suggestion.nearest(to: text, among: ["ip", "session", "route"]))
                .map { "did you mean \(TOMLText.quoted($0))?" })
        return nil
    }

    private func headerKey(_ text: String, _ entry: LocatedTable.Entry) -> RateLimitConfiguration.Key? {
        let name = text.lowercased()
        var reason: String?
        var help: String?
        switch name {
        case _ where !ResponseFieldsConfiguration.isName(name) || name.utf8.count > 128:
            reason = "a header field's name has letters, digits and hyphens (RFC 9110 section 5.1)"
        case "mcp-session-id":
            reason = "anybody can make up an id: a session counts once its id is verified"
            help = "key = \"session\""
        case "mcp-method", "mcp-name":
            reason = "a client may say one thing in its header fields and another in its message"
            help = "method = \"...\" and tool = \"...\" go by the message"
        default: return .header(name)
        }
        findings.report(entry.value.range, "\(quote(entry)) is no key", because: reason ?? "", help: help)
        return nil
    }

    private func claimKey(_ name: String, _ entry: LocatedTable.Entry) -> RateLimitConfiguration.Key? {
        if !name.isEmpty, name.utf8.count <= 128 { return .claim(name) }
        findings.report(
            entry.value.range, "\(quote(entry)) is no key", because: "a claim has a name of at most 128 bytes",
            help: "key = \"claim:sub\"")
        return nil
    }

    /// `method`: one that may be refused.
    fileprivate mutating func limitedMethod() -> String? {
        guard let (text, entry) = text("method") else { return nil }
        let reason: String
        switch text {
        case "server/discover":
            reason = "a client that is refused takes the server for one of an older revision, and stays with that"
        case _ where text.hasPrefix("notifications/"):
            reason = "nobody waits for an answer to a notification, and without some of them a session hangs"
        case "GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS":
            reason = "it is the JSON-RPC method of a message, such as \"tools/call\""
        default: return text
        }
        findings.report(entry.value.range, "\(quote(entry)) cannot be limited", because: reason)
        return nil
    }

    /// `store` of a rule: only rates are shared.
    fileprivate mutating func sharedRateStore() -> StoreConfiguration? {
        let entry = self.entry("store")
        let store = self.store()
        guard let entry, !has("rate"), has("concurrency") else { return store }
        findings.report(
            entry.key, "store without a rate",
            because:
                "requests in progress are counted by each Berth for itself: one that ends without a word would leave "
                + "its own behind",
            help: "rate = \"30/min\", or remove it")
        return nil
    }

    fileprivate mutating func limitedTool(beside method: String?) -> String? {
        guard let (text, entry) = text("tool") else { return nil }
        if let method, method != "tools/call" {
            findings.report(
                entry.key, "tool beside method = \(TOMLText.quoted(method))",
                because: "tools are called by \"tools/call\" alone", help: "remove method")
        }
        return text
    }

    /// `burst` of a rate: one that is whole again within a week.
    fileprivate func burst(_ entry: LocatedTable.Entry, of rate: RateText?) -> Int? {
        guard let burst = integer(entry, in: 1...1_000_000, ": requests at once after a pause") else { return nil }
        guard let rate else {
            if !has("rate") {
                findings.report(
                    entry.key, "burst without a rate", because: "it says how many requests of a rate may come at once",
                    help: "rate = \"30/min\"")
            }
            return nil
        }
        guard burst * rate.seconds <= 7 * 86_400 * rate.count else {
            findings.report(
                entry.value.range, "\(quote(entry)) is out of range",
                because: "at \(rate.text) it would take longer than a week until so many may come at once again")
            return nil
        }
        return burst
    }
}

extension ConfigurationDecoding {
    /// Reports a route that goes by certificates that no listener asks for.
    func checkCertificates(_ route: DecodedRoute) {
        guard let range = route.certificate,
            !listeners.contains(where: { $0.configuration.security.asksForCertificates })
        else { return }
        findings.report(
            range, "no listener asks for certificates", because: "a certificate counts once a listener has verified it",
            help: "client_auth = { mode = \"optional\", ca = \"/path/of/the/authorities.pem\" } under [listen]")
    }

    /// Reports limits by session on a route whose upstream verifies no ids.
    func checkSessionLimits(_ route: DecodedRoute, _ affinity: SessionAffinityMode?) {
        guard affinity == .off, let range = route.sessionLimit else { return }
        findings.report(
            range, "no session of this route is verified",
            because: "with session.affinity = \"off\" ids pass unread, and a client with a new id for each request "
                + "would have no limit",
            help: "key = \"ip\"")
    }
}
