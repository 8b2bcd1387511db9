import Configuration
import Kernel
import TLS
import TestSupport

@testable import Proxy

extension ProxyStage {
    /// Takes routes, and the rules of the listener for clients, from a configuration file: `listen` has lines of its table,
    /// `routes` whole tables. The upstream is "mcp".
    func configure(listen: String = "", _ routes: String = "") throws {
        let text = """
            [listen]
            http = ":8080"
            \(listen)
            [upstream.mcp]
            servers = ["mcp-0:3001"]
            \(routes)
            """
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let configuration = try ConfigurationFile.parse(text, file: "berth.toml", checks: checks).get().configuration
        let limits = try RateLimits.needed(by: configuration.routes, keeping: snapshot.rateLimits)
        snapshot.rateLimits = limits
        var stores = snapshot.stores
        for store in configuration.routes.flatMap({ $0.rateLimits.compactMap(\.store) })
        where stores.first(for: store) == nil {
            stores.append(SharedStore(store, found: [], names: NameLookup { _ in [] }))
        }
        snapshot.routes = configuration.routes.map { RoutePlan($0, limits, stores: stores) }
        if configuration.listeners[0].connectionOpens != nil { snapshot.connectionOpens = try ConnectionOpens() }
        let secrets = TicketSecrets([[UInt8](repeating: 1, count: 32)])
        let plan = try ListenerPlan(configuration.listeners[0], tickets: secrets)
        for index in snapshot.listeners.indices {
            snapshot.listeners[index].trusted = plan.trusted
            snapshot.listeners[index].trustedHeader = plan.trustedHeader
            snapshot.listeners[index].access = plan.access
            snapshot.listeners[index].hosts = plan.hosts
            snapshot.listeners[index].publicOrigin = plan.publicOrigin
            snapshot.listeners[index].forwardsAsHTTPS = plan.forwardsAsHTTPS
            snapshot.listeners[index].redirectPort = plan.redirectPort
            snapshot.listeners[index].expectsProxyHeader = plan.expectsProxyHeader
            snapshot.listeners[index].connectionOpens = plan.connectionOpens
        }
    }

    /// The response to one request on a connection of its own.
    func answer(_ request: String, from address: SocketAddress? = nil) -> Message {
        let client = connect(from: address)
        client.ask(request)
        run { client.responses.count == 1 }
        client.leave()
        return client.responses.first ?? Message()
    }

    /// The same over HTTP/2 in clear, with prior knowledge.
    func answerHTTP2(
        _ method: String, _ path: String, _ fields: [HeaderField] = [], body: [UInt8]? = nil,
        host: String = "mcp.test"
    ) -> Message {
        let client = connectHTTP2()
        let stream = client.ask(method, path, fields, body: body, host: host)
        run { client.isDone(stream) }
        client.leave()
        return client[stream].response
    }
}
