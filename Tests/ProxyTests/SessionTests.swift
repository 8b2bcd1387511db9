import Balancing
import Kernel
import Simulation
import Telemetry
import Testing

@testable import Proxy

@Suite("Sessions")
struct SessionTests {
    static let seeds: ClosedRange<UInt64> = 1...6

    struct Party {
        let client: ScriptedClient
        let session: String
        /// The server that has it.
        let owner: String
    }

    static func open(_ stage: ProxyStage) -> Party {
        let client = stage.connect()
        client.ask(.post(.call(0, "initialize")))
        stage.run { client.responses.count == 1 }
        let response = client.responses.first ?? Message()
        return Party(
            client: client, session: response["mcp-session-id"] ?? "",
            owner: String(response.text.split(separator: " ").first ?? ""))
    }

    static func call(_ stage: ProxyStage, _ session: String, on client: ScriptedClient, _ id: Int = 1) -> Message {
        let before = client.responses.count
        client.ask(.post(.call(id), session: session))
        stage.run { client.responses.count > before }
        return client.responses.last ?? Message()
    }

    static func once(_ stage: ProxyStage, _ request: String) -> Message {
        let client = stage.connect()
        client.ask(request)
        stage.run { client.responses.count == 1 }
        client.leave()
        return client.responses.first ?? Message()
    }

    private func stage(_ seed: UInt64, _ identity: SessionAffinityMode, servers: Int = 3) -> (
        ProxyStage, [SessionServer]
    ) {
        let stage = ProxyStage(seed: seed, servers: servers)
        stage.plan.affinity = identity
        if identity == .learned { stage.snapshot.learned = LearnedSessions(limit: 1000) }
        return (stage, (0..<servers).map { SessionServer(stage, $0) })
    }

    @Test(
        "a session stays with its server, over any connection", arguments: seeds,
        [SessionAffinityMode.signed, .learned])
    func stays(seed: UInt64, identity: SessionAffinityMode) {
        let (stage, servers) = stage(seed, identity)
        let parties = (0..<6).map { _ in SessionTests.open(stage) }
        #expect(Set(parties.map(\.owner)).count == 3, "new sessions are spread, seed \(seed)")
        for round in 0..<3 {
            for (index, party) in parties.enumerated() {
                // Another client's connection serves as well as its own.
                let client = parties[(index + round) % parties.count].client
                let answer = SessionTests.call(stage, party.session, on: client)
                #expect(answer.status == 200, "seed \(seed)")
                #expect(answer.text.hasPrefix(party.owner), "seed \(seed)")
                #expect(answer["mcp-session-id"] == party.session, "the id on every response, seed \(seed)")
            }
        }
        for server in servers {
            let seen = server.server.requests.compactMap { $0["mcp-session-id"] }
            #expect(
                !seen.isEmpty && seen.allSatisfy { $0.hasPrefix(server.prefix) }, "each server sees its own ids")
        }
        #expect(parties.allSatisfy { $0.session.hasPrefix("b1.") == (identity == .signed) })
        #expect(stage.sum(.sessionsOpened) == 6)
        // The stream and the resumption are the session's too.
        for resumes in [false, true] {
            let stream = stage.connect()
            stream.ask(
                .get(
                    extra: "Accept: text/event-stream\r\nMcp-Session-Id: \(parties[0].session)\r\n"
                        + (resumes ? "Last-Event-ID: 5\r\n" : "")))
            stage.run { stream.current.body.count > 5 }
            #expect(stream.current.text.contains("hello from \(parties[0].owner)\n"), "seed \(seed)")
            #expect(stream.current["mcp-session-id"] == parties[0].session)
            stream.leave()
        }
        for party in parties { party.client.leave() }
        stage.expectNoLeaks()
    }

    @Test("DELETE ends a session, and afterwards it is gone", arguments: seeds, [SessionAffinityMode.signed, .learned])
    func ends(seed: UInt64, identity: SessionAffinityMode) {
        let (stage, _) = stage(seed, identity)
        let party = SessionTests.open(stage)
        let client = party.client
        client.ask("DELETE /mcp HTTP/1.1\r\nHost: h\r\nMcp-Session-Id: \(party.session)\r\n\r\n")
        stage.run { client.responses.count == 2 }
        #expect(client.responses.last?.status == 200, "seed \(seed)")
        #expect(SessionTests.call(stage, party.session, on: client).status == 404)
        #expect(stage.sum(.sessionsEnded) >= 1)
        #expect(SessionTests.open(stage).session != "")
        client.leave()
    }

    @Test("ids that nobody has are 404 with -32001 and a null id, and reach no server", arguments: seeds)
    func unknownIDs(seed: UInt64) {
        for identity in [SessionAffinityMode.signed, .learned] {
            let (stage, servers) = stage(seed, identity)
            let party = SessionTests.open(stage)
            let before = servers.reduce(0) { $0 + $1.server.requests.count }
            var forged = [
                "x", "b1.", "b1.AAAA.abc", String(repeating: "z", count: 500), "82d3e3a9db724c70abb7da28667da2e9",
            ]
            if identity == .signed { forged += SessionTests.tampered(party.session) }
            for session in forged {
                let answer = SessionTests.call(stage, session, on: party.client, 5)
                #expect(answer.status == 404, "\(session), seed \(seed)")
                #expect(answer.text.contains("-32001") && answer.text.contains("Session not found"))
                #expect(answer.text.contains(#""id":null"#))
                #expect(answer["mcp-session-id"] == nil)
            }
            #expect(servers.reduce(0) { $0 + $1.server.requests.count } == before, "seed \(seed)")
            #expect(SessionTests.call(stage, party.session, on: party.client).status == 200)
            party.client.leave()
            stage.expectNoLeaks()
        }
    }

    /// Every byte of the id changed, one after the other.
    static func tampered(_ session: String) -> [String] {
        session.utf8.indices.map { index in
            var bytes = Array(session.utf8)
            let position = session.utf8.distance(from: session.utf8.startIndex, to: index)
            bytes[position] = bytes[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            return String(decoding: bytes, as: UTF8.self)
        } + [String(session.dropLast()), session + "A"]
    }

    @Test("an old key further down still verifies, an unknown key does not, and the newest signs", arguments: seeds)
    func rotation(seed: UInt64) {
        let (stage, servers) = stage(seed, .signed)
        let old = SessionTests.open(stage)
        old.client.leave()
        func restart(_ keys: [SigningKey]) {
            stage.stop()
            stage.snapshot.keys = keys
            stage.start()
        }
        restart([ProxyStage.key(2), ProxyStage.key(1)])
        let client = stage.connect()
        let answer = SessionTests.call(stage, old.session, on: client)
        #expect(answer.status == 200 && answer.text.hasPrefix(old.owner), "seed \(seed)")
        #expect(answer["mcp-session-id"] == old.session, "a client never sees its id change")
        let fresh = SessionTests.open(stage)
        restart([ProxyStage.key(2)])
        let other = stage.connect()
        #expect(SessionTests.call(stage, old.session, on: other).status == 404, "seed \(seed)")
        #expect(SessionTests.call(stage, fresh.session, on: other).status == 200, "seed \(seed)")
        // Another list of servers: what it does not know is gone, the rest goes on, wherever it stands now.
        stage.stop()
        stage.snapshot.servers[0].tag ^= 1
        stage.start()
        let last = stage.connect()
        let expected = fresh.owner == "replica-0" ? 404 : 200
        #expect(SessionTests.call(stage, fresh.session, on: last).status == expected, "seed \(seed)")
        #expect(servers.count == 3)
    }

    @Test("a restarted worker with the same keys carries its sessions on", arguments: seeds)
    func restart(seed: UInt64) {
        let (stage, _) = stage(seed, .signed)
        let parties = (0..<5).map { _ in SessionTests.open(stage) }
        for party in parties { party.client.ask(.openStream(session: party.session)) }
        stage.run(for: .seconds(1))
        stage.stop()
        stage.run(for: .seconds(1))
        for party in parties {
            let client = stage.connect()
            let answer = SessionTests.call(stage, party.session, on: client)
            #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "seed \(seed)")
            client.leave()
        }
        stage.expectNoLeaks()
    }

    @Test("big messages of a session stream to its server, and its answers keep the id", arguments: seeds)
    func bigMessages(seed: UInt64) {
        for identity in [SessionAffinityMode.signed, .learned] {
            let (stage, servers) = stage(seed, identity)
            let party = SessionTests.open(stage)
            // A second and more later, an id that is signed anew is another one.
            stage.run(for: .seconds(5))
            let client = stage.connect()
            client.ask(.post(String(repeating: "x", count: 200_000), session: party.session))
            stage.run(within: .seconds(60)) { client.responses.count == 1 }
            #expect(client.responses.first?.status == 200, "seed \(seed)")
            let id = client.responses.first?["mcp-session-id"] ?? ""
            #expect(SessionTests.call(stage, id, on: party.client).text.hasPrefix(party.owner), "seed \(seed)")
            #expect(id == party.session, "an id never changes under its client, \(identity), seed \(seed)")
            #expect(servers.reduce(0) { $0 + $1.calls } == 2)
            client.leave()
            party.client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("an id of any characters is carried, and does not change from answer to answer", arguments: seeds)
    func oddIDs(seed: UInt64) {
        for prefix in [
            "a+b/c==", "mcp-session-0d7f1a", "x:{1}~", String(repeating: "L", count: 200),
            String(repeating: "M", count: 9_000), String(repeating: "+", count: 3_000),
        ] {
            let (stage, servers) = stage(seed, .signed, servers: 2)
            for server in servers { server.prefix = prefix + server.name }
            let party = SessionTests.open(stage)
            #expect(party.session.hasPrefix("b1."), "\(prefix)")
            let safe = party.session.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [45, 46, 95].contains(byte)
            }
            #expect(safe, "\(party.session)")
            for number in 0..<3 {
                stage.run(for: .seconds(2))
                let answer = SessionTests.call(stage, party.session, on: party.client, number)
                #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "\(prefix), seed \(seed)")
                #expect(answer["mcp-session-id"] == party.session, "\(prefix), seed \(seed)")
            }
            party.client.leave()
            stage.expectNoLeaks()
        }
    }

    @Test("a 404 on another path ends no learned session", arguments: seeds)
    func otherPath(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.affinity = .learned
        stage.snapshot.learned = LearnedSessions(limit: 100)
        let server = SessionServer(stage, 0)
        let party = SessionTests.open(stage)
        let answer = server.server.handler
        server.server.handler = { $0.target == "/nowhere" ? .reply("?", status: "404 Not Found") : answer($0) }
        party.client.ask(.post(.call(1), to: "/nowhere", session: party.session))
        stage.run { party.client.responses.count == 2 }
        #expect(party.client.responses.last?.status == 404, "seed \(seed)")
        #expect(SessionTests.call(stage, party.session, on: party.client).status == 200, "seed \(seed)")
        stage.run(within: .seconds(400)) { false }
        let client = stage.connect()
        #expect(SessionTests.call(stage, party.session, on: client).status == 200, "it was used since, seed \(seed)")
        client.leave()
    }

    @Test("a full table of learned ids refuses a new session and keeps the old ones", arguments: seeds)
    func fullTable(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.plan.affinity = .learned
        stage.snapshot.learned = LearnedSessions(limit: 16)
        _ = SessionServer(stage, 0)
        let parties = (0..<40).map { _ in SessionTests.open(stage) }
        let kept = parties.filter { !$0.session.isEmpty }
        #expect(kept.count > 0 && kept.count <= 16, "seed \(seed)")
        let refused = parties.filter(\.session.isEmpty).compactMap(\.client.responses.first)
        #expect(refused.allSatisfy { $0.status == 503 && $0.text.contains("session_table_full") }, "seed \(seed)")
        #expect(stage.shared(.sessions) == kept.count, "seed \(seed)")
        for party in kept { #expect(SessionTests.call(stage, party.session, on: party.client).status == 200) }
        for party in parties { party.client.leave() }
        stage.expectNoLeaks()
    }

    @Test("one learned id names a session of each upstream", arguments: seeds)
    func scopedIDs(seed: UInt64) {
        let stage = ProxyStage(seed: seed)
        stage.addUpstream(servers: 1, isSecure: false)
        stage.snapshot.learned = LearnedSessions(limit: 100)
        for index in [0, 1] { stage.snapshot.upstreams[index].affinity = .learned }
        let servers = [0, 1].map { SessionServer(stage, $0, prefix: "same") }
        let client = stage.connect()
        for path in ["/mcp", "/other"] { client.ask(.post(.call(0, "initialize"), to: path)) }
        stage.run { client.responses.count == 2 }
        let session = client.responses.first?["mcp-session-id"] ?? "?"
        #expect(client.responses.allSatisfy { $0["mcp-session-id"] == session }, "seed \(seed)")
        for path in ["/mcp", "/other"] { client.ask(.post(.call(1), to: path, session: session)) }
        stage.run { client.responses.count == 4 }
        #expect(client.responses.suffix(2).map(\.status) == [200, 200], "seed \(seed)")
        #expect(servers.map(\.calls) == [1, 1], "seed \(seed)")
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("ids in refusals are dropped, and requests of 2026 have no session", arguments: seeds)
    func strays(seed: UInt64) {
        for identity in [SessionAffinityMode.signed, .learned] {
            let (stage, servers) = stage(seed, identity)
            let refusal = SessionTests.once(stage, .post(.call(1)))
            #expect(refusal.status == 400 && refusal["mcp-session-id"] == nil, "seed \(seed)")
            var owners: Set<String> = []
            for number in 0..<6 {
                let answer = SessionTests.once(stage, .post(.call(number), session: "whatever", version: "2026-07-28"))
                #expect(answer.status == 200 && answer["mcp-session-id"] == nil)
                owners.insert(String(answer.text.prefix(9)))
            }
            #expect(owners.count == 3, "modern requests are spread, seed \(seed)")
            #expect(servers.reduce(0) { $0 + $1.calls } == 0)
            stage.expectNoLeaks()
        }
    }

    @Test("with identity off, ids pass as they are and nothing is kept", arguments: seeds)
    func off(seed: UInt64) {
        let (stage, servers) = stage(seed, .off)
        let party = SessionTests.open(stage)
        #expect(party.session.hasPrefix("sid"))
        let statuses = (0..<6).map { SessionTests.call(stage, party.session, on: party.client, $0).status }
        #expect(statuses.filter { $0 == 200 }.count == 2, "every third call finds it, seed \(seed)")
        #expect(servers.count == 3)
        party.client.leave()
        stage.expectNoLeaks()
    }

    @Test(
        "a server that is gone takes its sessions with it, and no other; back again, it gets new ones", arguments: seeds
    )
    func serverRestarts(seed: UInt64) {
        for identity in [SessionAffinityMode.signed, .learned] {
            let (stage, servers) = stage(seed, identity)
            stage.plan.healthCheck.interval = .seconds(1)
            stage.start(healthChecks: true)
            let parties = (0..<6).map { _ in SessionTests.open(stage) }
            servers[1].server.die()
            stage.run(for: .seconds(2))
            for party in parties {
                let answer = SessionTests.call(stage, party.session, on: party.client)
                #expect(answer.status == (party.owner == "replica-1" ? 404 : 200), "\(identity), seed \(seed)")
            }
            let meanwhile = (0..<4).map { _ in SessionTests.open(stage) }
            #expect(meanwhile.allSatisfy { $0.owner != "replica-1" && $0.owner != "" }, "seed \(seed)")
            servers[1].restart()
            stage.run(for: .seconds(5))
            let late = (0..<6).map { _ in SessionTests.open(stage) }
            #expect(late.contains { $0.owner == "replica-1" }, "seed \(seed)")
            for party in parties + meanwhile + late {
                let answer = SessionTests.call(stage, party.session, on: party.client)
                let isLost = parties.contains { $0.session == party.session } && party.owner == "replica-1"
                #expect(answer.status == (isLost ? 404 : 200), "\(identity), seed \(seed)")
            }
            for party in parties + meanwhile + late { party.client.leave() }
        }
    }

    @Test("session-hash sends what one key opened to one server, known by any Berth", arguments: seeds)
    func sessionHash(seed: UInt64) {
        let (stage, _) = stage(seed, .signed)
        stage.plan.policy = .sessionHash
        let parties = (0..<12).map { _ in SessionTests.open(stage) }
        #expect(Set(parties.map(\.owner)).count > 1, "seed \(seed)")
        for party in parties {
            let answer = SessionTests.call(stage, party.session, on: party.client)
            #expect(answer.status == 200 && answer.text.hasPrefix(party.owner), "seed \(seed)")
            #expect(answer["mcp-session-id"] == party.session)
            party.client.leave()
        }
        stage.expectNoLeaks()
    }
}
