import Configuration

/// What `proxy_pass` names: `http://name:port/path`.
struct ProxyTarget: Equatable {
    var usesTLS: Bool
    /// The name of an upstream, or a host, with a port if one is written.
    var name: String
    /// The path that takes the place of the location's; nil: the path is passed as it came.
    var path: String?

    /// Nil for what is no such URL.
    init?(_ url: String) {
        let rest: Substring
        if url.lowercased().hasPrefix("http://") {
            (usesTLS, rest) = (false, url.dropFirst(7))
        } else if url.lowercased().hasPrefix("https://") {
            (usesTLS, rest) = (true, url.dropFirst(8))
        } else {
            return nil
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "$" } ?? rest.endIndex
        name = String(rest[..<end])
        // What follows is the request's own path and query in other words.
        let path = Self.withoutOwnTarget(String(rest[end...]))
        self.path = path.isEmpty ? nil : path
        if name.isEmpty { return nil }
    }

    private static func withoutOwnTarget(_ path: String) -> String {
        for own in ["$is_args$args", "?$args", "?$query_string"] where path.hasSuffix(own) {
            return withoutOwnTarget(String(path.dropLast(own.count)))
        }
        return ["$request_uri", "$uri", "$document_uri"].contains(path) ? "" : path
    }

    /// "host:port" for a host that is no upstream's name; nil if it is neither a host name nor an address.
    var address: String? { Self.address(name, defaultPort: usesTLS ? 443 : 80) }

    /// "host:port" as Berth writes the address of a server; nil for other text.
    static func address(_ text: String, defaultPort: Int) -> String? {
        var host = Substring(text)
        var port = defaultPort
        if host.hasPrefix("["), let bracket = host.firstIndex(of: "]") {
            let rest = host[host.index(after: bracket)...]
            host = host[host.index(after: host.startIndex)..<bracket]
            if !rest.isEmpty {
                guard rest.first == ":", let number = NginxValue.integer(String(rest.dropFirst()), in: 1...65_535)
                else { return nil }
                port = number
            }
            guard let address = IPAddressText(String(host)) else { return nil }
            return "[\(address.text)]:\(port)"
        }
        if let colon = host.lastIndex(of: ":") {
            guard let number = NginxValue.integer(String(host[host.index(after: colon)...]), in: 1...65_535) else {
                return nil
            }
            port = number
            host = host[..<colon]
        }
        guard HostAndPort.isHostName(String(host)), host.lowercased() != "file" else { return nil }
        return "\(host.lowercased()):\(port)"
    }
}
