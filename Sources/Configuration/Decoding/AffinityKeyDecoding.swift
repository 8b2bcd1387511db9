extension TableReader {
    /// `affinity_key`: "query:state", "cookie:flow" or "header:X-Tenant".
    mutating func affinityKey() -> AffinityKeyConfiguration? {
        guard let (text, entry) = text("affinity_key") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.count == 2 ? parts[1] : ""
        var reason: String?
        var help: String?
        switch parts[0] {
        case "query" where Self.isParameterName(name): return .query(name)
        case "cookie" where ResponseFieldsConfiguration.isName(name): return .cookie(name)
        case "header" where name.lowercased() == "mcp-session-id":
            reason = "a session's server is found by session.affinity: a hash of the id would find another one"
            help = "remove it"
        case "header" where name.lowercased() == "cookie":
            reason = "one of the cookies is meant, or all of them would have to stay as they are"
            help = "affinity_key = \"cookie:<name>\""
        case "header" where ResponseFieldsConfiguration.isName(name): return .header(name.lowercased())
        case "query", "cookie", "header":
            reason = name.isEmpty ? "it has no name" : "\(TOMLText.quoted(name)) is not a name of that kind"
            help = "affinity_key = \"\(parts[0]):\(parts[0] == "header" ? "X-Tenant" : "state")\""
        default:
            let kinds = ["query", "cookie", "header"]
            reason = "a key is query:, cookie: or header: and a name, such as \"query:state\""
            let meant = ["param": "query", "parameter": "query", "arg": "query", "hdr": "header", "field": "header"]
            let kind = meant[parts[0].lowercased()] ?? Suggestion.nearest(to: parts[0].lowercased(), among: kinds)
            help = kind.flatMap { parts.count == 2 ? "affinity_key = \(TOMLText.quoted("\($0):\(name)"))" : nil }
        }
        findings.report(
            entry.value.range, "\(quote(entry)) is not a key", because: reason ?? "this cannot be read", help: help)
        return nil
    }

    /// Visible ASCII without what ends a parameter.
    private static func isParameterName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"&=#%+?".utf8.contains($0) }
    }
}
