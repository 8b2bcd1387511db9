import Configuration
import HTTP
import Kernel
import MCP
import Reactor

/// An answer that a listener or a route gives in place of a server.
struct ExplainedAnswer: Equatable {
    let status: UInt16
    /// The reason in the answer; nil: it is no error.
    var reason: String?
    /// Why it is given.
    let why: String

    init(status: UInt16, why: String) {
        self.status = status
        self.why = why
    }

    init(_ fault: ExchangeFault, why: String) {
        status = fault.response.status
        reason = "\(fault.response.reason)"
        self.why = why
    }
}

extension RequestExplanation {
    /// Berth answers itself.
    mutating func answer(_ answer: ExplainedAnswer) {
        status = answer.status
        reason = answer.reason
        serverReason = answer.why
    }
}

extension RouteExtras {
    /// Requests are for challenges of an ACME client.
    var isChallenge: Bool { if case .challenges = answer { true } else { false } }

    /// What a route answers in place of a server; nil: a server answers. Without a client's address its rules for clients are
    /// left aside.
    func answer(to client: SocketAddress?, _ host: String) -> ExplainedAnswer? {
        if let client, !access.admits(high: client.high, low: client.low, isIPv4: client.isIPv4) {
            return ExplainedAnswer(.addressDenied, why: "the route's allow and deny leave \(client.host) out")
        }
        switch answer {
        case nil: return nil
        case .fixed(let response): return ExplainedAnswer(status: response.status, why: "the route has respond")
        case .redirect(let url, let keepsTarget):
            let place = String(decoding: url, as: UTF8.self) + (keepsTarget ? " with the path and query" : "")
            return ExplainedAnswer(status: 308, why: "the route has redirect: \(place)")
        case .challenges(let folder):
            return ExplainedAnswer(status: 200, why: "the challenge of that name in \(folder), or 404 if there is none")
        }
    }

    /// The path that servers get; nil: that of the request.
    func serverTarget(_ head: borrowing RequestHead, _ buffer: borrowing ByteBuffer) -> String? {
        guard !prefix.bytes.isEmpty else { return nil }
        let target = buffer.bytes(prefix.strip(head.target, in: buffer).range)
        let path = String(decoding: target.prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
        return path.isEmpty ? "/" : path
    }
}

/// What a listener does with requests before they are routed.
struct ListenerRules {
    private let port: UInt16
    private let isSecure: Bool
    private let access: AddressRules
    private let redirectPort: UInt16?
    private let hosts: [HostPattern]

    /// Of a listener that runs; nil if no traffic comes there.
    init?(_ plan: ListenerPlan) {
        guard plan.role == .traffic else { return nil }
        port = plan.address.port
        isSecure = plan.tls != nil
        access = plan.access
        redirectPort = plan.redirectPort
        hosts = plan.hosts
    }

    /// Of a listener in a file.
    init(_ configuration: ListenerConfiguration) {
        port = configuration.address.port
        isSecure = configuration.security != .plain
        access = AddressRules(configuration.access)
        redirectPort = configuration.redirectPort
        hosts = configuration.hosts.map { HostPattern(configured: $0) }
    }

    /// The listeners that a request to this host may reach, as far as its port says so.
    static func reached(by host: String, among listeners: [ListenerRules]) -> [ListenerRules] {
        guard listeners.count > 1 else { return listeners }
        let digits = host.hasSuffix("]") ? "" : String(host.split(separator: ":").dropFirst().last ?? "")
        let named = UInt16(digits)
        let matches = listeners.filter { $0.port == named ?? ($0.isSecure ? 443 : 80) }
        return matches.isEmpty ? listeners : matches
    }

    /// What the listener answers; nil: requests are routed. Without a client's address its rules for clients are left aside.
    func answer(_ host: String, from client: SocketAddress?, isChallenge: Bool) -> ExplainedAnswer? {
        if let client, !access.admits(high: client.high, low: client.low, isIPv4: client.isIPv4) {
            return ExplainedAnswer(.addressDenied, why: "the listener's allow and deny leave \(client.host) out")
        }
        var authority = ByteBuffer()
        authority.append(Array(host.utf8))
        if !hosts.isEmpty, !hosts.contains(where: { $0.matches(0..<authority.count, in: authority) }) {
            return ExplainedAnswer(.unknownHost, why: "hosts of the listener leaves \(host) out")
        }
        guard let redirectPort, !isChallenge else { return nil }
        return ExplainedAnswer(
            status: 308, why: "the listener redirects to https, port \(redirectPort), what did not come over TLS")
    }
}
