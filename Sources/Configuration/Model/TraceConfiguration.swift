/// `trace` of `[global]`: where spans of calls go.
package struct TraceConfiguration: Sendable, Equatable {
    /// The collector's host: a name or an IP address, without brackets.
    package var host: String
    /// The collector's port.
    package var port: UInt16
    /// What stands before `/v1/traces`: empty, or a path that begins with a slash and ends without one.
    package var path: String
    /// The share of traces begun here that are recorded, 0 to 1. Those of clients are if the client records them.
    package var ratio = 0.01

    package init(host: String, port: UInt16, path: String = "", ratio: Double = 0.01) {
        self.host = host
        self.port = port
        self.path = path
        self.ratio = ratio
    }

    /// The base URL of the collector, as the file has it.
    package var url: String {
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        return "http://\(authority)\(path)"
    }
}
