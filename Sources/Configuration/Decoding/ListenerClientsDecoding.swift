/// `redirect` of a listener.
struct DecodedRedirect {
    var entry: LocatedTable.Entry
    /// The port that the value names; nil: that of an https listener.
    var port: UInt16?
}

extension TableReader {
    /// `trusted_header`: the name of the field in which trusted proxies say the client's address.
    mutating func trustedHeader() -> String? {
        guard let (text, entry) = text("trusted_header") else { return nil }
        let name = text.lowercased()
        var reason: String?
        var help: String?
        if name == "x-forwarded-for" {
            reason =
                "X-Forwarded-For of trusted proxies is read already, from its end to the first address that is none "
                + "of theirs"
            help = "leave trusted_header out"
        } else if name == "forwarded" {
            reason =
                "the address would have to be taken out of a list of parameters, and this is for a field that has "
                + "nothing but an address"
        } else if !ResponseFieldsConfiguration.isName(text) {
            reason = "the name of a field is of letters, digits and hyphens, such as \"CF-Connecting-IP\""
        } else if text.contains("_") {
            reason = "names with \"_\" pass for names with \"-\" at many servers, so Berth takes neither for the other"
            help = "trusted_header = \(TOMLText.quoted(text.replacing("_", with: "-")))"
        } else if ResponseFieldsConfiguration.fixedNames[name] != nil || name.hasPrefix("mcp-") || name == "host" {
            reason = "this field says something else"
        }
        if let reason {
            findings.report(
                entry.value.range, "\(quote(entry)) cannot say the client's address", because: reason, help: help)
            return nil
        }
        if !has("trusted_proxies") {
            findings.report(
                entry.value.range, "trusted_header without trusted_proxies",
                because: "the field is believed of trusted proxies only, and there are none",
                help: "trusted_proxies = [\"173.245.48.0/20\"], the addresses of the proxies in front")
        }
        return text
    }

    /// `redirect`: "https", or "https:8443".
    mutating func redirect() -> DecodedRedirect? {
        guard let (text, entry) = text("redirect") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let port = parts.count == 1 ? nil : UInt16(parts[1])
        guard parts[0] == "https", parts.count == 1 || (port ?? 0) > 0 else {
            let isURL = text.contains("://")
            findings.report(
                entry.value.range, "\(quote(entry)) is not a redirect",
                because: "redirect is \"https\", to the same host and path, or \"https:8443\" with a port",
                help: isURL ? "redirects to other hosts are routes: [[route]] redirect = \(TOMLText.quoted(text))" : nil
            )
            return nil
        }
        if !has("http") {
            findings.report(
                entry.value.range, "redirect without http",
                because: "only plain requests are redirected, and this table listens for none", help: "http = \":80\"")
        }
        if let proto = self.entry("forwarded_proto") {
            findings.report(
                entry.value.range, "redirect beside forwarded_proto",
                because: "\(quote(proto)) says that every request came over https already: it would be redirected to "
                    + "where it comes from, without an end")
        }
        return DecodedRedirect(entry: entry, port: port)
    }
}

extension ConfigurationDecoding {
    /// Gives listeners that redirect the port to redirect to.
    mutating func resolveRedirects() {
        let secure = listeners.filter { $0.configuration.security != .plain }
        for index in listeners.indices {
            guard let redirect = listeners[index].redirect else { continue }
            let own = secure.first { $0.table == listeners[index].table } ?? secure.first
            if own == nil, redirect.port == nil, listeners[index].configuration.trustedProxies.isEmpty {
                findings.report(
                    redirect.entry.value.range, "redirect without an https listener",
                    because: "clients would be sent to where this file has nobody listen",
                    help: "https = \":443\" with cert and key, or redirect = \"https:443\" if another program is there")
            }
            // A port that the kernel chooses is not known here.
            let found = own.map(\.configuration.address.port).flatMap { $0 == 0 ? nil : $0 }
            listeners[index].configuration.redirectPort = redirect.port ?? found ?? 443
        }
    }
}
