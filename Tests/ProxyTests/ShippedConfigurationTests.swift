import Configuration
import Foundation
import Testing

@testable import Proxy

/// The files in configs/, as they are.
@Suite("Shipped configurations")
struct ShippedConfigurationTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "configs").path

    private static let names = ["minimal", "sse", "streamable-http", "full"]

    @Test("OAuth metadata reaches the servers behind each of them (RFC 9728, RFC 8414)", arguments: names)
    func metadata(_ name: String) throws {
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        let configuration = try ConfigurationFile.load(path: "\(Self.folder)/\(name).toml", checks: checks).get()
            .configuration
        let stage = ProxyStage(seed: 1, servers: configuration.upstreams.count)
        stage.snapshot.routes = configuration.routes.map { RoutePlan($0) }
        stage.snapshot.upstreams = configuration.upstreams.indices.map { index in
            UpstreamPlan(name: configuration.upstreams[index].name, servers: index..<(index + 1))
        }
        for index in configuration.upstreams.indices { stage.snapshot.servers[index].upstream = index }
        let servers = configuration.upstreams.indices.map { index in
            ScriptedServer(stage, index) { _ in .reply(configuration.upstreams[index].name) }
        }
        // Where Berth verifies tokens, the metadata of the resource are its own.
        let isProtected = configuration.routes.contains { $0.auth != nil }
        let targets =
            (isProtected
                ? [] : ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"])
            + ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
        for target in targets {
            let client = stage.connect()
            client.ask("GET \(target) HTTP/1.1\r\nHost: mcp.example.com\r\n\r\n")
            stage.run { client.responses.count == 1 }
            #expect(client.responses.first?.status == 200, "\(target)")
            #expect(client.responses.first?.text == "mcp", "\(target)")
            client.leave()
        }
        #expect(servers[0].requests.count == targets.count)
    }
}
