/// The URL of the MCP endpoint under load.
package struct Target: Equatable, Sendable {
    /// Whether the scheme is https.
    package var isSecure: Bool
    /// A host name or an address; IPv6 without brackets.
    package var host: String
    /// 1 to 65535.
    package var port: UInt16
    /// Path and query; begins with a slash.
    package var path: String

    package init(isSecure: Bool, host: String, port: UInt16, path: String) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
    }

    /// Parses `http://host[:port][/path]` or `https://…`. The default path is `/mcp`. Throws if the URL has a user name
    /// or a fragment, or is malformed.
    package init(url: String) throws(TargetError) {
        // The text is copied into request lines and fields unchanged.
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw TargetError(url, "only printable ASCII characters are allowed")
        }
        guard let separator = url.range(ofFirst: "://") else {
            throw TargetError(url, "it should begin with http:// or https://")
        }
        switch url[..<separator.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw TargetError(url, "it should begin with http:// or https://")
        }
        let rest = url[separator.upperBound...]
        guard !rest.contains("#") else { throw TargetError(url, "a fragment (#) is never sent") }
        let pathStart = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        path = String(rest[pathStart...])
        if path.isEmpty { path = "/mcp" }
        if path.first == "?" { path = "/" + path }
        let authority = rest[..<pathStart]
        guard !authority.contains("@") else {
            throw TargetError(url, "a user name does not belong in it; use --header")
        }
        (host, port) = try Target.split(authority, url, defaultPort: isSecure ? 443 : 80)
    }

    /// The value of `Host` and `:authority`: without the port if it is the scheme's default (RFC 9110 section 7.2).
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The whole URL.
    package var url: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }

    /// The path of the first request of a session: `/sse` in place of `/mcp` for `legacy`.
    func path(for workload: Workload) -> String {
        guard workload == .legacy, path.hasSuffix("/mcp") else { return path }
        return path.dropLast(4) + "/sse"
    }

    private static func split(
        _ authority: Substring, _ url: String, defaultPort: UInt16
    ) throws(TargetError) -> (String, UInt16) {
        var host = authority
        var portText: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw TargetError(url, "a ] is missing") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { throw TargetError(url, "only a port may follow ]") }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
            guard !host.contains(":") else { throw TargetError(url, "an IPv6 address belongs in [ ]") }
        }
        guard !host.isEmpty else { throw TargetError(url, "the host is missing") }
        guard let portText else { return (String(host), defaultPort) }
        guard let port = UInt16(portText), port > 0 else {
            throw TargetError(url, "\"\(portText)\" is not a port (1 to 65535)")
        }
        return (String(host), port)
    }
}

/// Why a URL cannot be used as a target.
package struct TargetError: Error, CustomStringConvertible, Equatable {
    /// The URL as it was written.
    package let url: String
    /// The reason, without a period.
    package let reason: String

    init(_ url: String, _ reason: String) {
        self.url = url
        self.reason = reason
    }

    package var description: String { "the URL \"\(url)\" cannot be used: \(reason)" }
}

extension String {
    fileprivate func range(ofFirst needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
