package import Kernel

/// Finds servers by DNS. Blocks for as long as the name servers take.
package struct AddressLookup {
    /// How a question is asked.
    package typealias Ask = (_ name: String, _ kind: DNSQuery.Kind) -> Result<DNSMessage, DNSQuery.Failure>

    private let ask: Ask

    package init(_ ask: @escaping Ask) { self.ask = ask }

    /// The addresses that one kind of records gives a name.
    private enum Found {
        case addresses([SocketAddress], ttl: UInt32)
        /// There are none; `exists`: but the name is known.
        case none(exists: Bool)
        case failed(DiscoveryFailure)
    }

    private func find(_ name: String, _ kind: DNSQuery.Kind) -> Found {
        switch ask(name, kind) {
        case .failure(.notFound): return .none(exists: false)
        case .failure(.noRecords): return .none(exists: true)
        case .failure(let failure): return .failed(DiscoveryFailure(failure))
        case .success(let message):
            let (addresses, ttl) = message.addresses()
            return addresses.isEmpty ? .none(exists: true) : .addresses(addresses, ttl: ttl)
        }
    }

    // MARK: - Addresses of a name

    /// The servers of a name: one for each of its addresses, of IPv4 and of IPv6.
    package func servers(of name: String, port: UInt16) -> Result<DiscoveryAnswer, DiscoveryFailure> {
        var answer = DiscoveryAnswer(servers: [])
        var exists = false
        let certificateName = name.hasSuffix(".") ? String(name.dropLast()) : name
        for (kind, origin) in [(DNSQuery.Kind.a, "A"), (.aaaa, "AAAA")] {
            switch find(name, kind) {
            case .addresses(let addresses, let ttl):
                answer.shorten(to: ttl)
                answer.servers += addresses.map {
                    DiscoveredServer($0, port: port, certificateName: certificateName, origin: origin)
                }
            case .none(let isKnown): exists = exists || isKnown
            case .failed(let failure): answer.miss(origin, failure)
            }
        }
        guard answer.servers.isEmpty else { return .success(answer) }
        return .failure(answer.problem ?? DiscoveryFailure(exists ? .empty : .notFound))
    }

    // MARK: - Services

    /// Targets of one service that are asked for at most: a question each takes too long for more.
    package static var maximumTargets: Int { 1_000 }

    /// The servers of a service: one for each address of each of its targets. Those whose priority is not the lowest are backups.
    package func servers(ofService name: String) -> Result<DiscoveryAnswer, DiscoveryFailure> {
        switch ask(name, .srv) {
        case .failure(let failure): return .failure(DiscoveryFailure(failure))
        case .success(let message):
            let services = message.services.prefix(Self.maximumTargets)
            guard let first = services.map(\.priority).min() else { return .failure(DiscoveryFailure(.empty)) }
            var answer = DiscoveryAnswer(servers: [])
            answer.shorten(to: message.answerTTL)
            let certificateName = Self.domain(ofService: name)
            let weights = Self.weights(services.map(\.weight))
            let beside = message.additionalAddresses
            for (service, weight) in zip(services, weights) {
                let origin = "\(service.target):\(service.port)"
                for address in addresses(of: service.target, beside, origin, &answer) {
                    var server = DiscoveredServer(
                        address, port: service.port, certificateName: certificateName, origin: origin)
                    server.weight = weight
                    server.isBackup = service.priority != first
                    answer.servers.append(server)
                }
            }
            guard answer.servers.isEmpty else { return .success(answer) }
            return .failure(answer.problem ?? DiscoveryFailure(.empty, "no target of the service has an address"))
        }
    }

    /// The addresses of a target: those that came with the answer, or those that its name has.
    private func addresses(
        of target: String, _ beside: [String: (addresses: [SocketAddress], ttl: UInt32)], _ origin: String,
        _ answer: inout DiscoveryAnswer
    ) -> [SocketAddress] {
        if let known = beside[target] {
            answer.shorten(to: known.ttl)
            return known.addresses
        }
        var all: [SocketAddress] = []
        for kind in [DNSQuery.Kind.a, .aaaa] {
            // Targets are whole names: the search list is not for them.
            switch find(target + ".", kind) {
            case .addresses(let addresses, let ttl):
                answer.shorten(to: ttl)
                all += addresses
            case .none: break
            case .failed(let failure): answer.miss(origin, failure)
            }
        }
        return all
    }

    /// The name that certificates are for: what was asked for, and not the target, which whoever forges the answer chooses
    /// (RFC 6125 section 6.2.1). `_mcp._tcp.mcp.example.com` is a service of mcp.example.com.
    static func domain(ofService name: String) -> String {
        var labels = name.split(separator: ".", omittingEmptySubsequences: true)[...]
        while let first = labels.first, first.hasPrefix("_") { labels.removeFirst() }
        return labels.joined(separator: ".")
    }

    /// The weights of records, 0 to 65,535, as shares of new work. Equal ones are 1 each, whatever they are, so that a service that
    /// divides a hundred among its targets changes nothing but their number. A weight of 0 is a very small share (RFC 2782).
    static func weights(_ weights: [UInt16]) -> [Int32] {
        guard let largest = weights.max(), let smallest = weights.min(), largest > smallest else {
            return weights.map { _ in 1 }
        }
        return weights.map { weight in
            let share = largest <= 1_000 ? Int32(weight) : Int32(weight) * 1_000 / Int32(largest)
            return max(1, share)
        }
    }
}

extension DiscoveryAnswer {
    /// It holds no longer than this, in seconds.
    fileprivate mutating func shorten(to seconds: UInt32) {
        ttl = min(ttl ?? .unlimited, .seconds(UInt64(seconds)))
    }

    /// A part of it is missing.
    fileprivate mutating func miss(_ origin: String, _ failure: DiscoveryFailure) {
        unanswered.insert(origin)
        problem = problem ?? failure
    }
}

extension DiscoveryFailure {
    init(_ failure: DNSQuery.Failure) {
        let reason: Reason =
            switch failure {
            case .notFound: .notFound
            case .noRecords: .empty
            case .timedOut: .timeout
            case .unreachable: .unreachable
            case .truncated: .truncated
            case .refused: .refused
            case .malformed: .malformed
            }
        self.init(reason)
    }
}
