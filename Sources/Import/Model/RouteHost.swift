import Configuration

/// What Berth takes for names of hosts and for media types.
enum RouteHost {
    /// Whether a route can have it as its host.
    static func isName(_ text: String) -> Bool {
        HostAndPort.isHostName(text) && !text.contains("*") || IPAddressText(unbracketed(text)) != nil
    }

    /// Whether it can stand in the field Host: a name or an address, with an optional port.
    static func isField(_ text: String) -> Bool {
        if let address = ProxyTarget.address(text, defaultPort: 80), !address.isEmpty { return true }
        return false
    }

    /// Whether it can be the fixed Host of an upstream: a field, and no word that would be taken for another value of the key.
    static func isFixedHost(_ text: String) -> Bool {
        guard isField(text) else { return false }
        if text.contains(".") || text.contains(":") { return true }
        let words = ["keep", "upstream", "preserve", "client", "pass", "server", "rewrite"]
        return Suggestion.nearest(to: text, among: words) == nil
    }

    /// Whether a text means itself in Berth's file, where "file:" and "${NAME}" are for secrets.
    static func isPlain(_ text: String) -> Bool { !text.hasPrefix("file:") && !text.contains("${") }

    private static func unbracketed(_ text: String) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    }

    /// "text/plain; charset=utf-8"
    static func isMediaType(_ text: String) -> Bool {
        let essence = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        guard essence.count == 2, text.utf8.count <= 128, text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            return false
        }
        return essence.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-._".contains($0)) }
        }
    }
}
