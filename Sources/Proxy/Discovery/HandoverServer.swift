import Discovery
import Kernel

/// A server that was found, on its way from one process to another: a process that takes another's place begins with its servers,
/// whatever the source says meanwhile.
struct HandoverServer: Equatable, Sendable {
    var upstream: String
    var server: DiscoveredServer
    /// It has vanished, and finishes what it has.
    var isLeaving = false

    init(_ server: DiscoveredServer, of upstream: String, isLeaving: Bool = false) {
        self.server = server
        self.upstream = upstream
        self.isLeaving = isLeaving
    }

    /// The words of its line: numbers and flags, names without spaces, the upstream last.
    var words: [String] {
        [
            server.host, "\(server.port)", "\(server.weight)", server.isBackup ? "backup" : "primary",
            isLeaving ? "leaving" : "present", server.certificateName.isEmpty ? "-" : server.certificateName, upstream,
        ]
    }

    /// Nil if the words are not those of a server.
    init?(words: [Substring]) {
        guard words.count >= 7, !words[0].isEmpty, let port = UInt16(words[1]), port > 0,
            let weight = Int32(words[2]), (1...1_000).contains(weight),
            ["backup", "primary"].contains(words[3]), ["leaving", "present"].contains(words[4])
        else { return nil }
        server = DiscoveredServer(
            host: String(words[0]), port: port, certificateName: words[5] == "-" ? "" : String(words[5]))
        server.weight = weight
        server.isBackup = words[3] == "backup"
        isLeaving = words[4] == "leaving"
        upstream = words[6...].joined(separator: " ")
    }
}

extension Snapshot {
    /// The servers that were found and are in use, those that have vanished included.
    var handedOverServers: [HandoverServer] {
        let present = upstreams.flatMap { upstream in
            (discovered[upstream.name] ?? []).map { HandoverServer($0, of: upstream.name) }
        }
        let leaving = servers.filter { $0.isRemoved && $0.isDiscovered }.map { plan in
            var server = DiscoveredServer(
                host: plan.host ?? plan.address?.host ?? "", port: plan.port, certificateName: plan.serverName)
            server.weight = plan.configuredWeight
            server.isBackup = plan.isBackup
            return HandoverServer(server, of: upstreams[plan.upstream].name, isLeaving: true)
        }
        return present + leaving.filter { !$0.server.host.isEmpty }
    }
}
