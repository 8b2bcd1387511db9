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
        case .respond(let response): value("respond", response.text)
        case .redirect(let target): value("redirect", TOMLText.quoted(target.url))
        case .files(let folder): value("files", TOMLText.quoted(folder))
        }
        write(route.access)
        write(route.auth)
        let lines = route.responseFields.set.map { "\(TOMLText.quoted($0.name)) = \(TOMLText.quoted($0.value))" }
        guard !lines.isEmpty || !route.responseFields.removed.isEmpty else { return }
        let removed = route.responseFields.removed.map(TOMLText.quoted).joined(separator: ", ")
        value("response_headers", "{ set = { \(lines.joined(separator: ", ")) }, remove = [\(removed)] }")
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

extension FixedResponseConfiguration {
    fileprivate var text: String {
        guard !body.isEmpty else { return "\(status)" }
        return "{ status = \(status), body = \(TOMLText.quoted(body)), content_type = \(TOMLText.quoted(contentType)) }"
    }
}
