extension TableReader {
    /// `origin` of a route: origins whose pages may send requests; none: no browser's page may. Nil: it is not there.
    mutating func origins() -> [String]? {
        guard let (values, entry) = list("origin") else { return nil }
        return originTexts(values, entry, wildcard: "leave origin out to serve requests of every origin")
    }

    /// `cors` of a route: origins whose pages may read responses, or "*". `guarded`: what `origin` has.
    mutating func crossOrigins(guarded: [String]?) -> CrossOriginConfiguration? {
        guard let (values, entry) = list("cors") else { return nil }
        if values.isEmpty {
            findings.report(
                entry.value.range, "cors is empty", because: "no page could read anything, as without the key",
                help: "cors = [\"https://app.example.com\"], or [\"*\"] for all")
            return nil
        }
        if let every = values.first(where: { if case .string("*") = $0.content { true } else { false } }) {
            if values.count > 1 {
                findings.report(every.range, "\"*\" beside origins", because: "\"*\" is every origin already")
            }
            return .everybody
        }
        let before = findings.errors.count
        let origins = originTexts(values, entry, wildcard: "cors = [\"*\"] for pages of every origin")
        guard findings.errors.count == before else { return nil }
        if let guarded, let other = origins.firstIndex(where: { !guarded.contains($0) }) {
            findings.report(
                values[other].range, "\(TOMLText.quoted(origins[other])) may read and may not ask",
                because: "origin of this route leaves it out: its pages would get 403", help: "add it to origin")
        }
        return .origins(origins)
    }

    /// Reports fields that `cors` replaces and `response_headers` changes.
    func checkSharedFields(_ fields: ResponseFieldsConfiguration) {
        let names = fields.set.map(\.name) + fields.removed
        guard let name = names.first(where: { $0.lowercased().hasPrefix("access-control-") }),
            let entry = entry("response_headers")
        else { return }
        findings.report(
            entry.key, "response_headers changes \(name) beside cors",
            because: "cors writes the fields that begin with Access-Control-, and leaves out those of servers",
            help: "leave it out of response_headers, or leave cors out")
    }

    private func originTexts(_ values: [LocatedValue], _ entry: LocatedTable.Entry, wildcard: String) -> [String] {
        if values.count > CrossOriginConfiguration.maximumOrigins {
            findings.report(
                entry.value.range, "\(entry.name) has \(values.count) origins",
                because: "every request is compared with each of them: at most "
                    + "\(CrossOriginConfiguration.maximumOrigins)")
        }
        var origins: [String] = []
        for value in values {
            guard let text = plainText(value, quoted: findings.source.text(value.range)) else { continue }
            do throws(OriginText.ParseError) {
                let origin = try OriginText(text).text
                if origins.contains(origin) {
                    findings.report(
                        value.range, "\(TOMLText.quoted(text)) stands here twice",
                        because: "case and the default port do not count")
                } else {
                    origins.append(origin)
                }
            } catch {
                report(value, text, error, wildcard: wildcard)
            }
        }
        return origins
    }

    private func report(_ value: LocatedValue, _ text: String, _ error: OriginText.ParseError, wildcard: String) {
        let reason: String
        var help: String?
        switch error {
        case .noScheme:
            reason =
                text == "*"
                ? "every page of the web would be meant"
                : "an origin has a scheme, as browsers send it: \"https://app.example.com\""
            help = text == "*" ? wildcard : text.contains("/") ? nil : TOMLText.quoted("https://\(text)")
        case .extra(let origin):
            reason = "an origin is scheme, host and port, without a path or a slash at the end"
            help = TOMLText.quoted(origin)
        case .wildcard:
            reason = "origins are compared as a whole: whoever gets a name below yours could ask, too"
            help = "name each of them"
        case .badHost(let host):
            reason = "\(TOMLText.quoted(host)) is neither a host name nor an IP address; letters beyond ASCII are xn--…"
        case .badPort(let port):
            reason = "\(TOMLText.quoted(port)) is not a port: those are 1 to 65535"
        }
        findings.report(value.range, "\(TOMLText.quoted(text)) is not an origin", because: reason, help: help)
    }

    // MARK: - The public address

    /// `public_url` of a listener: scheme, host and port by which clients reach it.
    mutating func publicURL() -> String? {
        guard let (text, entry) = text("public_url") else { return nil }
        let reason: String
        var help: String?
        do throws(OriginText.ParseError) {
            let origin = try OriginText(text).text
            if origin.hasPrefix("https://") || origin.hasPrefix("http://") { return origin }
            reason = "clients of MCP come by https or http"
        } catch {
            switch error {
            case .noScheme:
                reason = "a URL has a scheme"
                help = text.contains("/") ? nil : "public_url = \(TOMLText.quoted("https://\(text)"))"
            case .extra(let origin):
                reason =
                    "scheme, host and port are meant, without a path or a slash at the end: paths are those of routes"
                help = "public_url = \(TOMLText.quoted(origin))"
            case .wildcard: reason = "one address is meant"
            case .badHost(let host):
                reason = "\(TOMLText.quoted(host)) is neither a host name nor an IP address"
            case .badPort(let port): reason = "\(TOMLText.quoted(port)) is not a port: those are 1 to 65535"
            }
        }
        findings.report(
            entry.value.range, "\(quote(entry)) is not a public address", because: reason, help: help)
        return nil
    }

    // MARK: - Hosts

    /// `hosts` of a listener: names and addresses that requests may be for, as routes compare them; empty: all.
    mutating func servedHosts() -> [String] {
        guard let (values, entry) = list("hosts") else { return [] }
        if values.isEmpty {
            findings.report(entry.value.range, "hosts is empty", because: "no request would be served")
        }
        if values.count > ListenerConfiguration.maximumHosts {
            findings.report(
                entry.value.range, "hosts has \(values.count) names",
                because: "every request is compared with each of them: at most \(ListenerConfiguration.maximumHosts)")
        }
        var hosts: [String] = []
        for value in values {
            guard let text = plainText(value, quoted: findings.source.text(value.range)) else { continue }
            guard let host = routeHost(text, value, key: nil), !hosts.contains(host) else { continue }
            hosts.append(host)
        }
        return hosts
    }
}
