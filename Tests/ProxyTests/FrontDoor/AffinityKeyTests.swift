import Configuration
import Kernel
import Reactor
import Simulation
import TestSupport
import Testing

@testable import HTTP
@testable import Proxy

/// Requests without a session that are to meet one server: `affinity_key`.
@Suite("affinity_key")
struct AffinityKeyTests {
    private static func stage(_ seed: UInt64, _ key: AffinityKeyConfiguration, servers: Int = 5) -> ProxyStage {
        let stage = ProxyStage(seed: seed, servers: servers)
        stage.plan.affinityKey = AffinityKey(key)
        return stage
    }

    private static func serve(_ stage: ProxyStage) -> [ScriptedServer] {
        stage.snapshot.servers.indices.map { index in ScriptedServer(stage, index) { _ in .reply("\(index)") } }
    }

    private static func value(_ key: AffinityKeyConfiguration, _ request: String) -> UInt64? {
        var buffer = ByteBuffer()
        buffer.append(Array(request.utf8))
        var head = RequestHead()
        guard case .complete = RequestParser(limits: HeadLimits()).parse(buffer, into: &head) else { return nil }
        return AffinityKey(key).value(of: head, in: buffer)
    }

    @Test("the steps of a flow meet one server, whoever asks and in whatever order", arguments: 1...3)
    func flows(seed: UInt64) {
        let stage = Self.stage(seed, .query("state"))
        _ = Self.serve(stage)
        var seen: Set<String> = []
        for flow in 0..<12 {
            let steps = [
                "/authorize?client_id=a&state=s%2D\(flow)&scope=x", "/callback?code=\(flow)&state=s-\(flow)",
                "/done?state=s-\(flow)", "/again?a&state=&state=s-\(flow)",
            ]
            let servers = Set(steps.map { stage.answer(.get($0)).text })
            #expect(servers.count == 1, "flow \(flow), seed \(seed)")
            seen.formUnion(servers)
        }
        #expect(seen.count >= 3, "the flows are spread")
        #expect(stage.answerHTTP2("GET", "/x?state=s-1").text == stage.answer(.get("/y?state=s-1")).text)
        stage.expectNoLeaks()
    }

    @Test("two proxies, and lists in another order, agree")
    func fleet() {
        let one = Self.stage(1, .header("x-tenant"))
        let other = Self.stage(2, .header("x-tenant"))
        other.snapshot.servers.reverse()
        _ = Self.serve(one)
        _ = Self.serve(other)
        for tenant in 0..<10 {
            let request = String.post(.call(1), extra: "X-Tenant: t\(tenant)\r\n")
            #expect(one.answer(request).text == other.answer(request).text)
        }
    }

    @Test("a server that is down gives up its own keys only, and gets them back")
    func failover() {
        let stage = Self.stage(1, .cookie("flow"))
        _ = Self.serve(stage)
        func place(_ flow: Int) -> String { stage.answer(.get(extra: "Cookie: a=b; flow=f\(flow); c=d\r\n")).text }
        let before = (0..<20).map(place)
        let lost = before[0]
        stage.markUnhealthy(Int(lost) ?? 0)
        let during = (0..<20).map(place)
        for (was, now) in zip(before, during) { #expect(was == lost ? now != lost : now == was) }
        stage.markHealthy(Int(lost) ?? 0)
        #expect((0..<20).map(place) == before)
        stage.expectNoLeaks()
    }

    @Test("a server that refuses is passed over; without the key requests take turns")
    func others() {
        let stage = Self.stage(1, .query("state"), servers: 2)
        _ = Self.serve(stage)
        let own = Int(stage.answer(.get("/?state=x")).text) ?? 0
        #expect(Set((0..<4).map { _ in stage.answer(.get("/?other=x")).text }) == ["0", "1"])
        stage.network.refuse(at: ProxyStage.server(own))
        #expect(stage.answer(.get("/?state=x")).text == "\(1 - own)" || stage.answer(.get("/?state=x")).status == 200)
        stage.expectNoLeaks()
    }

    @Test("a busy server is waited for")
    func busy() {
        let stage = Self.stage(1, .query("state"), servers: 3)
        stage.plan.pool.maximum = 1
        var held: [ScriptedServer] = []
        for index in 0..<3 {
            held.append(ScriptedServer(stage, index) { $0.target.contains("slow") ? [] : .reply("\(index)") })
        }
        let own = stage.answer(.get("/?state=x")).text
        let slow = stage.connect()
        slow.ask(.get("/slow?state=x"))
        stage.run { held.contains { $0.requests.contains { $0.target.contains("slow") } } }
        let next = stage.connect()
        next.ask(.get("/next?state=x"))
        stage.run(for: .seconds(1))
        #expect(next.responses.isEmpty && stage.waitingExchanges == 1)
        slow.leave()
        stage.run { next.responses.count == 1 }
        #expect(next.responses.first?.text == own)
        next.leave()
        stage.expectNoLeaks()
    }

    @Test("a session stays with its server, whatever the key says")
    func sessions() {
        let stage = Self.stage(1, .header("x-tenant"), servers: 3)
        for index in 0..<3 {
            _ = ScriptedServer(stage, index) { _ in .reply("\(index)", extra: "Mcp-Session-Id: s\(index)\r\n") }
        }
        let opened = stage.answer(.post(.call(1, "initialize"), extra: "X-Tenant: a\r\n"))
        let id = opened["mcp-session-id"] ?? ""
        for tenant in 0..<6 {
            #expect(stage.answer(.post(.call(1), session: id, extra: "X-Tenant: \(tenant)\r\n")).text == opened.text)
        }
        stage.expectNoLeaks()
    }

    @Test("what counts as the value")
    func values() {
        func get(_ target: String, _ fields: String = "") -> String { .get(target, extra: fields) }
        let query = { (target: String) in Self.value(.query("state"), get(target)) }
        #expect(query("/?state=a+b") == query("/x?y&state=a%20b&z"))
        #expect(query("/?st%61te=a") == query("/?state=a"))
        #expect(query("/?state=a") != query("/?state=b"))
        for target in ["/", "/?", "/?state", "/?state=", "/?xstate=a", "/?state2=a", "/state=a"] {
            #expect(query(target) == nil, "\(target)")
        }
        #expect(query("/?state=%") != nil && query("/?state=%4") != nil && query("/?state=%zz") != nil)
        let cookie = { (fields: String) in Self.value(.cookie("flow"), get("/", fields)) }
        #expect(cookie("Cookie: flow=a\r\n") == cookie("Cookie: x=1\r\ncookie: y;  flow=a; z=2\r\n"))
        for fields in ["", "Cookie: flow\r\n", "Cookie: flow=\r\n", "Cookie: xflow=a\r\n", "Cookie: FLOW=a\r\n"] {
            #expect(cookie(fields) == nil, "\(fields)")
        }
        let header = { (fields: String) in Self.value(.header("x-tenant"), get("/", fields)) }
        #expect(header("x-TENANT: a\r\n") == header("X-Tenant:\r\nX-Tenant: a\r\n"))
        #expect(header("X-Tenant:\r\n") == nil && header("X-Tenants: a\r\n") == nil)
    }
}
