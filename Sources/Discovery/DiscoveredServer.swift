package import Kernel

/// A server that was found. Its name is its identity: the same address has the same name at any time and in any Berth.
package struct DiscoveredServer: Sendable, Hashable {
    /// An IP address without brackets, or a host name in lower case.
    package var host: String
    /// The port, 1...65535.
    package var port: UInt16
    /// Its share of new work in relation to the others, 1...1000.
    package var weight: Int32 = 1
    /// Whether it is used only if no other server is available.
    package var isBackup = false
    /// The name that its certificate must be for, where servers speak TLS.
    package var certificateName: String
    /// The part of the answer that it comes from, which may fail on its own: one kind of records, or one target of a service.
    package var origin = ""

    package init(host: String, port: UInt16, certificateName: String) {
        self.host = host
        self.port = port
        self.certificateName = certificateName
    }

    /// A server at an address.
    package init(_ address: SocketAddress, port: UInt16, certificateName: String, origin: String) {
        self.init(host: address.host, port: port, certificateName: certificateName)
        self.origin = origin
    }

    /// `host:port`, an IPv6 address in brackets.
    package var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// What matters of it to whoever uses it; where it was found does not.
    func isSame(as other: DiscoveredServer) -> Bool {
        host == other.host && port == other.port && weight == other.weight && isBackup == other.isBackup
            && certificateName == other.certificateName
    }
}
