/// An address to listen on.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address without brackets; empty for all addresses of the machine.
    package var host: String
    /// The port; 0 lets the kernel choose.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// The address as the file writes it: ":443", "127.0.0.1:9090", "[::1]:80".
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
