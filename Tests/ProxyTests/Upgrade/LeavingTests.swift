import Kernel
import Simulation
import Testing

@testable import Proxy

/// A worker whose listeners another process has as well.
@Suite("A worker that is replaced")
struct LeavingTests {
    private static let request = "POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

    private func stage(_ seed: UInt64) -> (ProxyStage, ScriptedServer) {
        let stage = ProxyStage(seed: seed)
        let server = ScriptedServer(stage, 0) { _ in .reply("ok") }
        return (stage, server)
    }

    @Test(
        "an idle connection stays until its next answer, which says that it closes", arguments: 0..<20 as Range<UInt64>)
    func idle(_ seed: UInt64) {
        let (stage, server) = stage(seed)
        let client = stage.connect()
        client.ask(Self.request)
        #expect(stage.run { client.responses.count == 1 })

        stage.post(.listenersTaken([]))
        stage.post(.drain)
        stage.run(for: .seconds(20))
        #expect(!client.peer.hasEnded && stage.worker?.isDone == false)
        client.ask(Self.request)

        #expect(stage.run { client.responses.count == 2 })
        #expect(client.responses.last?.text == "ok")
        #expect(client.responses.last?.all("connection") == ["close"])
        #expect(stage.run { stage.worker?.isDone == true })
        #expect(server.requests.count == 2)
        stage.stop()
    }

    @Test(
        "an idle connection that asks nothing more is closed after the idle timeout", arguments: 0..<20 as Range<UInt64>
    )
    func silent(_ seed: UInt64) {
        let (stage, _) = stage(seed)
        stage.listener.idleTimeout = .seconds(3)
        let client = stage.connect()
        client.ask(Self.request)
        #expect(stage.run { client.responses.count == 1 })

        stage.post(.listenersTaken([]))
        stage.post(.drain)

        #expect(stage.run { stage.worker?.isDone == true })
        #expect(stage.run { client.peer.hasEnded })
        stage.stop()
    }

    @Test("without another process an idle connection has five seconds")
    func alone() {
        let (stage, _) = stage(1)
        let client = stage.connect()
        client.ask(Self.request)
        #expect(stage.run { client.responses.count == 1 })

        stage.post(.drain)

        #expect(stage.run(within: .seconds(7)) { client.peer.hasEnded })
        stage.stop()
    }

    @Test("sockets that were taken are left at once; the others close as they do in any drain")
    func sockets() throws {
        let (stage, _) = stage(1)
        stage.addSecureListener()
        stage.start()
        let descriptors = try #require(stage.worker?.clients.listeners.map(\.descriptor))
        #expect(descriptors.count == 2)

        stage.post(.listenersTaken([descriptors[0]]))
        stage.run(for: .milliseconds(5))
        #expect(stage.worker?.clients.listeners.map(\.accepts) == [false, true])
        stage.post(.drain)
        stage.run(for: .milliseconds(5))
        #expect(stage.worker?.clients.listeners.map(\.accepts) == [false, true], "it closes a little later")

        #expect(stage.run { stage.worker?.isDone == true })
        stage.stop()
    }
}
