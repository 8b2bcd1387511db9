/// One `[[route]]`: requests it matches go to its upstream.
package struct RouteConfiguration: Sendable, Equatable {
    /// In lower case, without a port; nil matches every host.
    package var host: String?
    package var path: PathPattern
    /// Index into `Configuration.upstreams`.
    package var upstream: Int

    package init(host: String?, path: PathPattern, upstream: Int) {
        self.host = host
        self.path = path
        self.upstream = upstream
    }
}

/// What the path of a request target must look like. Compared byte for byte; the query is no part of it.
package enum PathPattern: Sendable, Equatable {
    /// Not given, or "/*".
    case any
    /// "/mcp": that path and "/mcp/". Kept without the trailing slash, except for "/" itself.
    case exact(String)
    /// "/mcp/*": "/mcp", "/mcp/" and whatever lies below. Kept as "/mcp".
    case prefix(String)
}
