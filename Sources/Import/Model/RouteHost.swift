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
