/// Where spans go: the base URL of an OTLP/HTTP receiver, `http://host:port/path`.
package struct CollectorAddress: Equatable, Sendable {
    /// A name or an IP address, without brackets.
    package var host: String
    /// Its port, 1 to 65535.
    package var port: UInt16
    /// What stands before `/v1/traces`: empty, or a path that begins with a slash and ends without one.
    package var path: String

    package init(host: String, port: UInt16, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }

    /// The value of `Host`.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
