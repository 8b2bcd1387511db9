/// An address to listen on.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IP address without brackets, or empty for every address of the machine.
    package var host: String
    /// 0 lets the kernel choose.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// As it is written in the file: ":443", "127.0.0.1:9090", "[::1]:80".
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
