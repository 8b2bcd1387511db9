/// One `[[route]]`: requests that it matches go to its upstream.
package struct RouteConfiguration: Sendable, Equatable {
    /// In lower case, without a port; nil matches every host.
    package var host: String?
    /// The paths it matches.
    package var path: PathPattern
    /// Index into `Configuration.upstreams`.
    package var upstream: Int
    /// `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` are compared with the message.
    package var checksHeaders: Bool

    package init(host: String?, path: PathPattern, upstream: Int, checksHeaders: Bool = false) {
        self.host = host
        self.path = path
        self.upstream = upstream
        self.checksHeaders = checksHeaders
    }
}

/// Matches the path of a request target, without its query, byte for byte.
package enum PathPattern: Sendable, Equatable {
    /// Every path: not given, or "/*".
    case any
    /// "/mcp": that path and "/mcp/". Stored without the trailing slash, except for "/" itself.
    case exact(String)
    /// "/mcp/*": "/mcp", "/mcp/" and all paths below. Stored as "/mcp".
    case prefix(String)
}
