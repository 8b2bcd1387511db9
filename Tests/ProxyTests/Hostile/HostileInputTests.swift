import Kernel
import Simulation
import TestSupport
import Testing

@testable import Proxy

/// One table of hostile inputs for the whole proxy: each row says what its sender hears and what reaches a server. After
/// each of them another client is served, and nothing is left behind.
@Suite("Hostile inputs")
struct HostileInputTests {
    static let inputs =
        HostileInput.heads + HostileInput.bodies + HostileInput.fields + HostileInput.messages
        + HostileInput.sessions

    @Test("HTTP/1 and what is in it", arguments: inputs)
    func http1(_ input: HostileInput) {
        for seed in [1, 2] as [UInt64] {
            let scene = HostileScene(seed: seed)
            let bytes = scene.bytes(input.text)
            let client = scene.stage.connect()
            for method in methods(bytes) { client.expect(method) }
            client.peer.perform(.send(bytes))
            #expect(heard(client, scene.stage) == input.hears, "seed \(seed)")
            #expect(scene.reached == input.reaches, "seed \(seed)")
            client.leave()
            scene.expectUnharmed()
        }
    }

    /// The methods of what may be requests in the bytes.
    private func methods(_ bytes: [UInt8]) -> [String] {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.split(separator: "\r\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 3 && words[2].hasPrefix("HTTP/1.") ? String(words[0]) : nil
        }
    }

    /// What the client has heard when nothing more comes; slow senders are waited for.
    private func heard(_ client: ScriptedClient, _ stage: ProxyStage) -> String {
        stage.run(within: .seconds(90)) { client.isOver || !client.responses.isEmpty }
        stage.run(within: .seconds(5)) { client.isOver }
        let answers = client.responses.map { $0.verdict }
        let broken = client.isBroken ? ["broken"] : []
        return (answers + broken + [client.isOver ? "closed" : "open"]).joined(separator: ", ")
    }

    @Test("frames of HTTP/2", arguments: HostileFrames.all)
    func http2(_ input: HostileFrames) {
        for seed in [1, 2] as [UInt64] {
            let scene = HostileScene(seed: seed)
            let peer = scene.stage.network.connect(to: ProxyStage.front)
            peer.onEnd = { [.close] }
            peer.perform(.text(HTTP2Frame.preface), .send(HTTP2Frame.settings([])), .send(input.bytes))
            settle(peer, scene.stage)
            let told = HostileFrames.told(peer.received, isOver: peer.hasEnded || peer.isDone)
            #expect(told == input.hears, "seed \(seed)")
            #expect(scene.reached == input.reaches, "seed \(seed)")
            peer.perform(.close)
            scene.expectUnharmed()
        }
    }

    @Test("records of TLS", arguments: HostileRecords.all)
    func tls(_ input: HostileRecords) {
        for seed in [1, 2] as [UInt64] {
            let scene = HostileScene(seed: seed)
            let peer = scene.stage.network.connect(to: ProxyStage.secureFront)
            peer.onEnd = { [.close] }
            peer.perform(.send(input.bytes))
            settle(peer, scene.stage)
            let told = HostileRecords.told(peer.received, isOver: peer.hasEnded || peer.isDone)
            #expect(told == input.hears, "seed \(seed)")
            #expect(scene.reached.isEmpty, "seed \(seed)")
            peer.perform(.close)
            scene.expectUnharmed()
        }
    }

    /// Waits until nothing more comes.
    private func settle(_ peer: SimulatedPeer, _ stage: ProxyStage) {
        for _ in 0..<20 {
            let before = peer.received.count
            stage.run(within: .seconds(3)) { peer.hasEnded || peer.isDone }
            if peer.hasEnded || peer.isDone || peer.received.count == before && before > 0 { return }
        }
    }

    @Test("the table has more than 120 rows, each with a name of its own")
    func size() {
        let names = Self.inputs.map(\.name) + HostileFrames.all.map(\.name) + HostileRecords.all.map(\.name)
        #expect(names.count >= 120)
        #expect(Set(names).count == names.count)
    }
}
