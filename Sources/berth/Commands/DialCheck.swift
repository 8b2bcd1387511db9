import Configuration
import Discovery
import FoundationEssentials
import Kernel
import Proxy

/// `berth check --dial`: what `berth run` will meet on this machine now.
struct DialCheck {
    /// Why `run` would not start: addresses that cannot be listened on.
    private(set) var errors: [String] = []
    /// Servers that would count as down.
    private(set) var warnings: [String] = []
    /// Servers that take connections.
    private(set) var successes: [String] = []

    /// How long names may take, and each connection.
    private static let limit = Interval.seconds(5)

    /// Opens and closes every listener, and dials every address of every server once, all of them at the same time.
    init(_ configuration: Configuration, names: NameLookup = .system) {
        var listeners = configuration.listeners.map(\.address)
        if let admin = configuration.global.admin { listeners.append(admin) }
        for address in listeners {
            do throws(StartError) {
                if let problem = try ListenerPlan(at: address).listeningProblem() { errors.append(problem) }
            } catch {
                errors.append(error.description)
            }
        }
        var upstreams = configuration.upstreams
        for plan in configuration.discoveryPlans {
            for index in upstreams.indices where upstreams[index].name == plan.upstream {
                find(plan, for: &upstreams[index])
            }
        }
        let hosts = upstreams.flatMap { $0.servers.map(\.address.host) }
        let found = names.resolve(Set(hosts), within: Self.limit)
        for upstream in upstreams { dial(upstream, found) }
    }

    /// Adds the servers that are found for an upstream; a source that names none is a warning.
    private mutating func find(_ plan: DiscoveryPlan, for upstream: inout UpstreamConfiguration) {
        let name = "discover of upstream \(upstream.name), \(plan.source)"
        switch SourceLookup.system.ask(plan) {
        case .failure(let failure): warnings.append("\(name): \(failure.text)")
        case .success(let answer):
            successes.append("\(name): \(CheckCommand.count(answer.servers.count, "server"))")
            upstream.servers += answer.servers.prefix(plan.limits.maximumServers).map {
                ServerConfiguration(address: ServerAddress(host: $0.host, port: $0.port))
            }
        }
    }

    private mutating func dial(_ upstream: UpstreamConfiguration, _ found: [String: [SocketAddress]]) {
        let limit = Interval(
            nanoseconds: min(Self.limit.nanoseconds, Interval(upstream.pool.connectTimeout).nanoseconds))
        for servers in upstream.servers.chunked(into: 128) {
            let addresses = servers.map { server in
                (found[server.address.host] ?? []).map { $0.at(port: server.address.port) }
            }
            let codes = Dialling.codes(of: addresses.flatMap { $0 }, within: limit)
            var rest = codes[...]
            for (server, addresses) in zip(servers, addresses) {
                note(server, of: upstream, zip(addresses, rest.prefix(addresses.count)).map { ($0, $1) })
                rest = rest.dropFirst(addresses.count)
            }
        }
    }

    private mutating func note(
        _ server: ServerConfiguration, of upstream: UpstreamConfiguration, _ results: [(SocketAddress, CInt)]
    ) {
        let name = "server \(server.address) of upstream \(upstream.name)"
        if results.isEmpty {
            warnings.append("\(name): its name does not resolve")
        } else if let (address, _) = results.first(where: { $0.1 == 0 }) {
            successes.append("\(name): connected to \(address)")
        } else {
            let reasons = results.map { "\($0): \(Self.reason($1))" }
            warnings.append("\(name): no connection (\(reasons.joined(separator: "; ")))")
        }
    }

    private static func reason(_ code: CInt) -> String {
        code == ErrorNumber.timedOut ? "no answer" : ErrorNumber.text(code)
    }
}

/// Connections that are opened to see whether they can be.
private enum Dialling {
    /// For each address 0 if it takes connections, else the errno; ETIMEDOUT after `limit`.
    static func codes(of addresses: [SocketAddress], within limit: Interval) -> [CInt] {
        var codes = Array(repeating: ErrorNumber.timedOut, count: addresses.count)
        guard !addresses.isEmpty, var world = try? Linux() else { return codes }
        var open: [Int: Descriptor] = [:]
        for (index, address) in addresses.enumerated() {
            switch world.dial(address) {
            case .failed(let code): codes[index] = code
            case .started(let descriptor):
                open[index] = descriptor
                _ = world.watch(descriptor, token: UInt64(index))
            }
        }
        let deadline = Instant.now() + limit
        while !open.isEmpty, Instant.now() < deadline {
            let left = (deadline - Instant.now()).nanoseconds / 1_000_000
            for event in 0..<world.wait(milliseconds: CInt(clamping: left + 1)) {
                let index = Int(world.event(event).token)
                guard let descriptor = open.removeValue(forKey: index) else { continue }
                codes[index] = world.connectionError(descriptor)
                world.close(descriptor, reset: true)
            }
        }
        for descriptor in open.values { world.close(descriptor, reset: true) }
        return codes
    }
}

extension Array {
    fileprivate func chunked(into size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
