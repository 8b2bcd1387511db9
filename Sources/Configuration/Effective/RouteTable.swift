// Writes routes, and what they have in common with listeners.

extension EffectiveText {
    /// Writes a route. `upstream`: the name of its upstream, if it has one.
    mutating func write(_ route: RouteConfiguration, _ index: Int, upstream: String?) {
        open("[[route]]", path: "route[\(index)]")
        value("host", route.host.map(TOMLText.quoted), unset: "every host")
        value("path", TOMLText.quoted(route.path.text))
        switch route.destination {
        case .upstream:
            value("upstream", upstream.map(TOMLText.quoted), unset: "there is none")
            value("strip_prefix", route.strippedPrefix.map(TOMLText.quoted), unset: "servers get the path as it came")
            value("check_headers", "\(route.checksHeaders)")
            write(route.rateLimits, opens: route.streamOpens)
            value(
                "response_limit", route.responseLimit.map { ByteSizeText.text($0) }.map(TOMLText.quoted),
                unset: "any size")
        case .respond(let response): value("respond", response.text)
        case .redirect(let target): value("redirect", TOMLText.quoted(target.url))
        case .files(let folder): value("files", TOMLText.quoted(folder))
        }
        write(route.access)
        write(route.auth)
        writeOrigins(route)
        let lines = route.responseFields.set.map { "\(TOMLText.quoted($0.name)) = \(TOMLText.quoted($0.value))" }
        guard !lines.isEmpty || !route.responseFields.removed.isEmpty else { return }
        let removed = route.responseFields.removed.map(TOMLText.quoted).joined(separator: ", ")
        value("response_headers", "{ set = { \(lines.joined(separator: ", ")) }, remove = [\(removed)] }")
    }

    /// Writes how many requests there may be; nothing if any number.
    private mutating func write(_ limits: [RateLimitConfiguration], opens: RateText?) {
        if !limits.isEmpty { value("rate_limit", "[\(limits.map(\.text).joined(separator: ", "))]") }
        if let opens { value("stream_opens", TOMLText.quoted(opens.text)) }
    }

    private mutating func writeOrigins(_ route: RouteConfiguration) {
        if let origins = route.origins { value("origin", texts: origins) }
        switch route.crossOrigins {
        case .everybody: value("cors", texts: ["*"])
        case .origins(let origins): value("cors", texts: origins)
        case nil: break
        }
    }

    /// Writes a list of texts.
    mutating func value(_ key: String, texts: [String]) {
        value(key, "[\(texts.map(TOMLText.quoted).joined(separator: ", "))]")
    }

    /// Writes whose requests are served; nothing if everybody's are.
    mutating func write(_ access: AccessConfiguration) {
        if !access.allowed.isEmpty { value("allow", ranges: access.allowed) }
        if !access.denied.isEmpty { value("deny", ranges: access.denied) }
    }

    /// Writes a list of blocks of addresses.
    mutating func value(_ key: String, ranges: [AddressRange]) {
        value(key, "[\(ranges.map { "\"\($0)\"" }.joined(separator: ", "))]")
    }
}

extension RateLimitConfiguration {
    fileprivate var text: String {
        var parts = ["key = \(TOMLText.quoted(key.text))"]
        if let method { parts.append("method = \(TOMLText.quoted(method))") }
        if let tool { parts.append("tool = \(TOMLText.quoted(tool))") }
        if let rate { parts.append("rate = \(TOMLText.quoted(rate.text))") }
        if rate != nil, let burst { parts.append("burst = \(TOMLText.integer(burst))") }
        if let concurrency { parts.append("concurrency = \(TOMLText.integer(concurrency))") }
        if let store { parts += store.entries }
        return "{ \(parts.joined(separator: ", ")) }"
    }
}

extension FixedResponseConfiguration {
    fileprivate var text: String {
        guard !body.isEmpty else { return "\(status)" }
        return "{ status = \(status), body = \(TOMLText.quoted(body)), content_type = \(TOMLText.quoted(contentType)) }"
    }
}
