import Configuration
import Foundation
import Kernel
import Testing

@testable import Admin
@testable import Proxy

/// Who may ask for what.
@Suite("Admin access")
struct AdminAccessTests {
    private static let token = "0123456789abcdef"

    private func access(token: Bool = true, hosts: [String] = []) -> AdminAccess {
        var global = GlobalConfiguration()
        global.adminToken = token ? .text(Self.token) : nil
        global.adminHosts = hosts
        return AdminAccess(global: global)
    }

    private func request(_ fields: [String: String], local: Bool = false) -> AdminRequest {
        AdminRequest(
            isPost: true, path: "/drain", fields: fields,
            client: local ? .user(0) : .address(.loopback(port: 4_711)))
    }

    @Test(
        "addresses, localhost and names without a dot are ours",
        arguments: [
            "127.0.0.1:9090", "127.0.0.1", "[::1]:9090", "[::1]", "10.1.2.3:80", "localhost:9090", "LocalHost",
            "berth:9090",
            "a", "x.localhost:1", "localhost.:9090", "",
        ])
    func ours(host: String) {
        #expect(access().refusal(of: request(["host": host])) == nil)
    }

    @Test(
        "names that somebody else may own are not",
        arguments: [
            "attacker.example", "attacker.example:9090", "127.0.0.1.attacker.example", "localhost.attacker.example.",
        ])
    func others(host: String) {
        #expect(access().refusal(of: request(["host": host]))?.status == 421)
        #expect(access(hosts: ["berth.example"]).refusal(of: request(["host": host]))?.status == 421)
        #expect(access().refusal(of: request(["host": host], local: true)) == nil)
    }

    @Test("a name of the configuration is ours, whatever its case and port")
    func configured() {
        let access = access(hosts: ["berth.example.com"])
        #expect(access.refusal(of: request(["host": "Berth.Example.com:9090"])) == nil)
        #expect(access.refusal(of: request([:])) == nil)
    }

    @Test("changes take the token, or the socket; without a token in the configuration only the socket")
    func changes() {
        let right = ["authorization": "Bearer \(Self.token)"]
        #expect(access().refusal(ofChange: request(right)) == nil)
        #expect(access().refusal(ofChange: request([:]))?.status == 401)
        #expect(access().refusal(ofChange: request(["authorization": "Bearer 0123456789abcdeX"]))?.status == 401)
        #expect(access(token: false).refusal(ofChange: request(right))?.status == 403)
        #expect(access(token: false).refusal(ofChange: request([:], local: true)) == nil)
        #expect(access().refusal(ofChange: request([:], local: true)) == nil)
    }

    @Test("a page of another origin may not ask")
    func origins() {
        #expect(access().admitsOrigin(of: request(["host": "a:1"])))
        #expect(access().admitsOrigin(of: request(["host": "a:1", "origin": "http://a:1"])))
        #expect(!access().admitsOrigin(of: request(["host": "a:1", "origin": "http://evil.example"])))
        #expect(!access().admitsOrigin(of: request(["host": "a:1", "origin": "null"])))
        #expect(!access().admitsOrigin(of: request(["origin": "http://a:1"])))
    }
}
