import Kernel
import MCP
import Reactor
import Synchronization
import TLS

/// What the metrics' numbers stand for, and what they need to be up to date.
extension ProxyServer {
    /// The names of a server and its upstream.
    package struct ServerName: Sendable, Equatable {
        /// The upstream's name.
        package let upstream: String
        /// The server's name in the configuration.
        package let server: String
    }

    /// The servers that have a slot, by it: those of the configuration, and those that are still in use.
    package var serverNames: [Int: ServerName] {
        let upstreams = Set(table.upstreams.map(\.key))
        var names: [Int: ServerName] = [:]
        for (id, key) in table.servers {
            // A key is an upstream's name, a slash, and the server's.
            let ends = key.indices.filter { key[$0] == "/" && upstreams.contains(String(key[..<$0])) }
            guard let end = ends.last else { continue }
            names[Int(id.slot)] = ServerName(
                upstream: String(key[..<end]), server: String(key[key.index(after: end)...]))
        }
        return names
    }

    /// The upstreams that have a slot, by it.
    package var upstreamNames: [Int: String] {
        Dictionary(table.upstreams.map { (Int($0.id.slot), $0.key) }) { first, _ in first }
    }

    /// The reasons of Berth's own answers, by their numbers. Several numbers may stand for the same.
    package static var rejectionReasons: [UInt8: String] {
        Dictionary(ExchangeFault.allCases.map { ($0.rawValue, "\($0.response.reason)") }) { first, _ in first }
    }

    /// Asks every worker how long messages wait. The answers are in the metrics soon after.
    package func probeLag() {
        let now = Instant.now()
        for mailbox in mailboxes.prefix(workers) { _ = mailbox.post(.lagProbe(now)) }
    }

    /// The listeners of the snapshot in force, with the addresses that they have: those of several may be written alike, where
    /// the kernel was to choose the port.
    package var boundListeners: [(plan: ListenerPlan, address: String)] {
        current.withLock { current in
            current.snapshot.listeners.map { ($0, "\(current.sockets.address(of: $0.id) ?? $0.address)") }
        }
    }

    /// A certificate that clients see.
    package struct ServedCertificate: Sendable {
        /// The address of its listener.
        package let listener: String
        /// The certificate's subject, as in "CN = mcp.example.org".
        package let subject: String
        /// The last second in which it is valid, in seconds since 1970.
        package let notAfter: Int64
    }

    /// The certificates of all listeners, as they are now.
    package var servedCertificates: [ServedCertificate] {
        let renewed = watchers.certificates.contexts
        return boundListeners.flatMap { listener, address -> [ServedCertificate] in
            let context = renewed[listener.id] ?? listener.tls
            return context?.certificates.map {
                ServedCertificate(listener: address, subject: $0.subject, notAfter: $0.notAfter)
            } ?? []
        }
    }
}
