package import Kernel
import Synchronization

/// Looks host names up, several at a time, on threads of its own: a name server that does not answer holds up nobody
/// for longer than the caller allows.
package struct NameLookup: Sendable {
    /// Returns the addresses of a host name, with port 0; empty if there are none. May block for many seconds.
    package var addresses: @Sendable (_ host: String) -> [SocketAddress]
    /// How often names are looked up again while a proxy runs.
    package var interval = Interval.seconds(5)
    /// Names that are looked up at the same time.
    private static var concurrency: Int { 16 }

    package init(addresses: @escaping @Sendable (_ host: String) -> [SocketAddress]) {
        self.addresses = addresses
    }

    /// The system's resolver: /etc/hosts, DNS and whatever else nsswitch.conf names.
    package static let system = NameLookup { SocketAddress.resolve(host: $0, port: 0) }

    /// The addresses of each host, with port 0, in the resolver's order (RFC 6724 section 6). Hosts without any, or whose
    /// addresses did not come within `limit`, are missing.
    package func resolve(_ hosts: Set<String>, within limit: Interval) -> [String: [SocketAddress]] {
        var found: [String: [SocketAddress]] = [:]
        var names: [String] = []
        for host in hosts {
            if let literal = SocketAddress(literal: host, port: 0) {
                found[host] = [literal]
            } else {
                names.append(host)
            }
        }
        guard !names.isEmpty, let search = try? Search(names.sorted()) else { return found }
        for _ in 0..<min(names.count, NameLookup.concurrency) {
            guard let thread = try? Thread(named: "names", { search.work(addresses) }) else { continue }
            thread.detach()
        }
        return found.merging(search.wait(within: limit)) { first, _ in first }
    }

    /// Names under way, shared by the threads that look them up.
    private final class Search: Sendable {
        private let names: [String]
        private let state = Mutex((begun: 0, ended: 0, found: [String: [SocketAddress]]()))
        private let wake: Wake

        init(_ names: [String]) throws(SystemError) {
            self.names = names
            wake = try Wake()
        }

        /// Looks names up until none is left.
        func work(_ addresses: @Sendable (String) -> [SocketAddress]) {
            while let name = next() {
                let result = addresses(name)
                state.withLock { state in
                    state.ended += 1
                    if !result.isEmpty { state.found[name] = result }
                }
                wake.ring()
            }
        }

        private func next() -> String? {
            state.withLock { state in
                guard state.begun < names.count else { return nil }
                state.begun += 1
                return names[state.begun - 1]
            }
        }

        /// What was found when all is done or the time is up.
        func wait(within limit: Interval) -> [String: [SocketAddress]] {
            let deadline = Instant.now() + limit
            while state.withLock({ $0.ended < names.count }), Instant.now() < deadline {
                let left = (deadline - Instant.now()).nanoseconds / 1_000_000
                wake.sleep(milliseconds: CInt(clamping: left + 1))
            }
            return state.withLock { $0.found }
        }
    }
}

extension SocketAddress {
    /// The same host at another port.
    package func at(port: UInt16) -> SocketAddress {
        SocketAddress(high: high, low: low, port: port, isIPv4: isIPv4)
    }
}
