import HTTP
import Kernel
import Reactor
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

@Suite("Streams that are opened again")
struct StreamConflictTests {
    static let seeds: ClosedRange<UInt64> = 1...8

    /// A server that allows one GET stream a session, and notices only after `lag` that one has ended.
    final class OneStreamServer {
        let server: ScriptedServer
        private var open: [String: SimulatedPeer] = [:]
        private var last: SimulatedPeer?
        private(set) var conflicts = 0
        private var issued = 0

        init(_ stage: ProxyStage, status: String = "409 Conflict", lag: Interval = .milliseconds(1)) {
            server = ScriptedServer(stage) { _ in [] }
            server.onConnection = { [unowned self] peer in
                peer.onEnd = { [unowned self, unowned peer] in
                    [
                        .pause(lag),
                        .run { [unowned self] _ in
                            for (session, other) in self.open where other === peer { self.open[session] = nil }
                        },
                        .close,
                    ]
                }
                let receive = peer.onReceive
                peer.onReceive = { [unowned self, unowned peer] bytes in
                    last = peer
                    return receive?(bytes) ?? []
                }
            }
            server.handler = { [unowned self] message in
                guard let session = message["mcp-session-id"] else {
                    issued += 1
                    return .reply("opened", extra: "Mcp-Session-Id: sid\(issued)\r\n")
                }
                guard message.method == "GET" else { return .reply("called") }
                if let other = open[session], !other.isDone {
                    conflicts += 1
                    return .reply("Only one SSE stream is allowed per session", status: status)
                }
                open[session] = last
                return .stream("data: hello\n\n")
            }
        }
    }

    private func stage(_ seed: UInt64, status: String = "409 Conflict", lag: Interval = .milliseconds(1)) -> (
        ProxyStage, OneStreamServer, SessionTests.Party
    ) {
        let stage = ProxyStage(seed: seed, .calm)
        let server = OneStreamServer(stage, status: status, lag: lag)
        return (stage, server, SessionTests.open(stage))
    }

    private func openStream(_ stage: ProxyStage, _ session: String) -> ScriptedClient {
        let client = stage.connect()
        client.ask(.openStream(session: session))
        return client
    }

    @Test(
        "a client that was cut off without a word gets its stream, and the old one ends", arguments: seeds,
        ["409 Conflict", "400 Bad Request"])
    func vanished(seed: UInt64, status: String) {
        let (stage, server, party) = stage(seed, status: status, lag: .milliseconds(UInt64(30 * seed)))
        let old = openStream(stage, party.session)
        stage.run { old.current.body.count > 3 }
        // Its network is gone, and nobody can know.
        old.peer.perform(.vanish)
        stage.run(for: .seconds(1))
        let began = stage.network.now
        let new = openStream(stage, party.session)
        stage.run(within: .seconds(2)) { new.current.body.count > 3 }
        #expect(new.current.status == 200, "\(new.current.status), seed \(seed)")
        #expect(new.lastReceived - began < .milliseconds(1_100), "seed \(seed)")
        #expect(server.conflicts > 0 && server.conflicts <= 8, "\(server.conflicts), seed \(seed)")
        #expect(stage.sum(.streaming) == 1, "seed \(seed)")
        new.leave()
        party.client.leave()
        stage.expectNoLeaks()
        #expect(stage.worker?.exchanges.streams.count == 0)
    }

    @Test("a client that closes its stream and opens it at once never sees a conflict", arguments: seeds)
    func reconnects(seed: UInt64) {
        let (stage, server, party) = stage(seed, lag: .milliseconds(100))
        for _ in 0..<5 {
            let client = openStream(stage, party.session)
            stage.run(within: .seconds(2)) { client.current.body.count > 3 }
            #expect(client.current.status == 200, "seed \(seed)")
            client.leave()
        }
        #expect(server.conflicts > 0, "the test tests something, seed \(seed)")
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test("a server that does not notice for a second is believed", arguments: seeds)
    func stubborn(seed: UInt64) {
        let (stage, server, party) = stage(seed, lag: .seconds(60))
        let old = openStream(stage, party.session)
        stage.run { old.current.body.count > 3 }
        old.peer.perform(.vanish)
        let began = stage.network.now
        let new = openStream(stage, party.session)
        stage.run { new.responses.count == 1 }
        #expect(new.responses.first?.status == 409, "seed \(seed)")
        let taken = new.lastReceived - began
        #expect(taken > .milliseconds(900) && taken < .seconds(2), "\(taken), seed \(seed)")
        #expect(server.conflicts < 12, "\(server.conflicts) tries, seed \(seed)")
        #expect(stage.worker?.exchanges.streams.conflicts.isEmpty == true)
        for client in [new, party.client] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test(
        "a client that lives and wants two streams is told what the server says, and keeps the first", arguments: seeds,
        ["409 Conflict", "400 Bad Request"])
    func two(seed: UInt64, status: String) {
        let (stage, server, party) = stage(seed, status: status)
        let first = openStream(stage, party.session)
        stage.run { first.current.body.count > 3 }
        let began = stage.network.now
        let second = openStream(stage, party.session)
        stage.run { second.responses.count == 1 }
        #expect(second.responses.first?.status == Int(status.prefix(3)), "seed \(seed)")
        let taken = second.lastReceived - began
        #expect(taken > .milliseconds(900) && taken < .seconds(2), "\(taken), seed \(seed)")
        stage.run(for: .seconds(1))
        #expect(!first.isOver && stage.sum(.streaming) == 1 && server.conflicts < 12, "seed \(seed)")
        // On one connection nothing is noticed late.
        let http2 = stage.connectHTTP2()
        let other = SessionTests.open(stage)
        let fields = [HeaderField("accept", "text/event-stream"), HeaderField("mcp-session-id", other.session)]
        let third = http2.ask("GET", "/mcp", fields)
        stage.run { http2[third].response.body.count > 3 }
        let before = server.conflicts
        let fourth = http2.ask("GET", "/mcp", fields)
        stage.run { http2[fourth].isOver }
        #expect(http2[fourth].response.status == Int(status.prefix(3)) && !http2[third].isOver, "seed \(seed)")
        #expect(server.conflicts == before + 1, "seed \(seed)")
        other.client.leave()
        for client in [first, second, party.client] { client.leave() }
        http2.leave()
        stage.expectNoLeaks()
    }

    @Test("a 400 without a stream that is open is passed on at once", arguments: seeds)
    func badRequest(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        let server = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        server.server.handler = { _ in .reply("no", status: "400 Bad Request") }
        let client = openStream(stage, party.session)
        stage.run { client.responses.count == 1 }
        #expect(client.responses.first?.status == 400, "seed \(seed)")
        party.client.leave()
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("servers that allow several streams keep them", arguments: seeds)
    func several(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        _ = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        let clients = (0..<5).map { _ in openStream(stage, party.session) }
        stage.run { clients.allSatisfy { $0.current.body.count > 3 } }
        stage.run(for: .seconds(5))
        #expect(clients.allSatisfy { !$0.isOver } && stage.sum(.streaming) == 5, "seed \(seed)")
        for client in clients + [party.client] { client.leave() }
        stage.expectNoLeaks()
    }

    @Test("a stream that is open on another worker is ended there")
    func otherWorkers() throws {
        let stages = ProxyStage.workers(2, seed: 5, servers: 1)
        for stage in stages { stage.snapshot.keys = [ProxyStage.key(1)] }
        let peer = try Mailbox<WorkerMessage>(limit: 64)
        let server = OneStreamServer(stages[0])
        let party = SessionTests.open(stages[0])
        let old = openStream(stages[0], party.session)
        stages[0].run { old.current.body.count > 3 }
        // The other worker meets the conflict, and says so.
        _ = ScriptedServer(stages[1]) { _ in .reply("Only one", status: "409 Conflict") }
        stages[1].start(peers: [peer])
        let new = openStream(stages[1], party.session)
        stages[1].run(within: .seconds(3)) { new.responses.count == 1 }
        let messages = peer.collect()
        let keys = messages.compactMap { if case .streamSuperseded(let key) = $0 { key } else { nil } }
        #expect(!keys.isEmpty && Set(keys).count == 1)
        // Its client lives at first.
        for isGone in [false, true] {
            if isGone { old.peer.perform(.vanish) }
            for _ in 0..<6 {
                if let key = keys.first { stages[0].post(.streamSuperseded(session: key)) }
                stages[0].run(for: .milliseconds(200))
            }
            #expect(stages[0].sum(.streaming) == (isGone ? 0 : 1))
        }
        #expect(server.server.openConnections == stages[0].upstreamCount)
        for client in [new, party.client] { client.leave() }
    }

    @Test("the table finds what is in it and nothing else", arguments: 0..<30 as Range<UInt64>)
    func table(seed: UInt64) {
        struct Entry: StreamKeyed, ~Copyable {
            let streamKey: UInt64
        }
        var generator = SeededGenerator(seed: seed)
        var slab = Slab<Entry>(limit: 200)
        var table = SessionStreams()
        var live: [Handle: UInt64] = [:]
        for _ in 0..<2_000 {
            // Keys that meet, and such whose homes meet.
            let key = UInt64.random(in: 0..<24, using: &generator) << (Bool.random(using: &generator) ? 7 : 11)
            if Int.random(in: 0..<5, using: &generator) < 3, let handle = slab.insert(Entry(streamKey: key)) {
                table.insert(handle.slot, in: slab)
                live[handle] = key
            } else if let gone = live.keys.sorted(by: { $0.slot < $1.slot }).randomElement(using: &generator) {
                table.remove(gone.slot, in: slab)
                slab.discard(gone)
                live[gone] = nil
            }
            #expect(table.count == live.count)
            let found = table.find(key, in: slab)
            #expect((found == nil) == !live.values.contains(key), "seed \(seed)")
            if let found {
                let others = live.filter { $0.value == key && $0.key.slot != found }
                #expect((table.find(key, except: found, in: slab) == nil) == others.isEmpty, "seed \(seed)")
            }
        }
    }
}
