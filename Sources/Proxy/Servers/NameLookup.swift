package import Kernel

/// How host names are looked up.
package struct NameLookup: Sendable {
    /// Returns the addresses of a host name, with port 0; empty if there are none. May block for many seconds.
    package var addresses: @Sendable (_ host: String) -> [SocketAddress]
    /// How often names are looked up again while a proxy runs.
    package var interval = Interval.seconds(5)

    package init(addresses: @escaping @Sendable (_ host: String) -> [SocketAddress]) {
        self.addresses = addresses
    }

    /// The system's resolver: /etc/hosts, DNS and whatever else nsswitch.conf names.
    package static let system = NameLookup { SocketAddress.resolve(host: $0, port: 0) }

    /// The addresses of each host, with port 0, in the resolver's order (RFC 6724 section 6). Hosts without any, or whose
    /// addresses did not come within `limit`, are missing. IP addresses are their own.
    package func resolve(_ hosts: Set<String>, within limit: Interval) -> [String: [SocketAddress]] {
        var found: [String: [SocketAddress]] = [:]
        for host in hosts { found[host] = SocketAddress(literal: host, port: 0).map { [$0] } }
        let names = hosts.filter { found[$0] == nil }
        guard !names.isEmpty, let search = try? NameSearch(self) else { return found }
        search.begin(names)
        search.wait(within: limit)
        return found.merging(search.take().filter { !$0.value.isEmpty }) { first, _ in first }
    }
}

extension SocketAddress {
    /// The same host at another port.
    package func at(port: UInt16) -> SocketAddress {
        SocketAddress(high: high, low: low, port: port, isIPv4: isIPv4)
    }
}
