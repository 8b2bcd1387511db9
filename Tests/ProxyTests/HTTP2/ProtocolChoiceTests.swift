import Kernel
import Simulation
import Testing

@testable import Proxy

/// Where HTTP/2 is spoken, and where a client that begins it anyway is refused as one of an unknown version.
@Suite("The choice of HTTP/2")
struct ProtocolChoiceTests {
    private func expectRefused(_ stage: ProxyStage, _ client: ScriptedClient) {
        client.ask("GET", [.text(HTTP2Frame.preface), .send(HTTP2Frame.settings([]))])
        #expect(stage.run { client.responses.count == 1 })
        #expect(client.responses.first?.status == 505)
        #expect(stage.run { client.isOver })
    }

    @Test("over TLS only ALPN begins HTTP/2 (RFC 9113 section 3.2)")
    func overTLS() {
        let stage = ProxyStage(seed: 1)
        stage.addSecureListener()
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        expectRefused(stage, stage.connectSecurely())
        let client = stage.connectHTTP2(isSecure: true)
        let stream = client.ask("GET", "/")
        #expect(stage.run { client.isDone(stream) })
        #expect(client[stream].response.text == "ok")
        #expect(server.requests.count == 1)
        client.leave()
    }

    @Test("a listener without h2c speaks HTTP/1.1 alone")
    func withoutH2C() {
        let stage = ProxyStage(seed: 1)
        stage.listener.acceptsH2C = false
        let server = ScriptedServer(stage) { _ in .reply("ok") }
        expectRefused(stage, stage.connect())
        let client = stage.connect()
        client.ask(.get())
        #expect(stage.run { client.responses.count == 1 })
        #expect(client.responses.first?.text == "ok")
        #expect(server.requests.count == 1)
        client.leave()
    }

    @Test("the admin listener speaks HTTP/1.1 alone")
    func admin() {
        let stage = ProxyStage(seed: 1)
        stage.listener.role = .admin
        expectRefused(stage, stage.connect())
    }
}
