import Kernel
import Reactor
import Simulation
import TestIssuer
import TestSupport
import Testing
import Tokens

@testable import Proxy

/// A proxy with routes that ask for tokens, and its verifier, which works whenever simulated time passes.
final class TokenStage {
    let stage: ProxyStage
    let server: SessionServer
    let verifier = TokenVerifier()
    /// The verifier does nothing.
    var verifierSleeps = false

    /// `auth`: more keys of the table; issuer, audience and claims are there. `route`: more keys of the route.
    init(
        _ seed: UInt64, _ auth: String = "", route: String = "", keys: KeySet? = nil,
        affinity: SessionAffinityMode = .signed
    ) throws {
        stage = ProxyStage(seed: seed)
        try stage.configure(
            """
            [[route]]
            path = "/mcp"
            upstream = "mcp"
            auth = { issuer = "\(TestIssuer.name)", jwks = "keys.json", audience = "\(TestIssuer.audience)", claims = { "X-Mcp-Subject" = "sub", "X-Tenant" = "tenant" }\(auth.isEmpty ? "" : ", \(auth)") }
            \(route)
            [[route]]
            upstream = "mcp"
            """)
        stage.plan.affinity = affinity
        if affinity == .learned { stage.snapshot.learned = LearnedSessions(limit: 1_000) }
        stage.snapshot.shareTokens(verifier: verifier)
        server = SessionServer(stage, 0)
        if let keys { install(keys) }
    }

    var auth: RouteAuth? { stage.snapshot.routes[0].extras?.auth }

    func install(_ keys: KeySet, named name: String = "1") {
        guard let known = auth?.keys else { return }
        verifier.resume(known.install(keys, from: Array(name.utf8), at: .now()).waiting)
    }

    /// Seconds since 1970 in the simulation.
    var now: Int64 {
        stage.start()
        return Int64(stage.worker?.io.world.wallSeconds() ?? 0)
    }

    func token(_ changes: [String: String?] = [:], life: Int64 = 300) -> String {
        var changes = changes
        changes["exp"] = changes["exp"] ?? "\(now + life)"
        return TestIssuer.token(
            TestIssuer.claims(at: now, changes), key: TestIssuer.p256, algorithm: "ES256", id: "p256")
    }

    /// Runs until a condition holds; the verifier works in between.
    @discardableResult
    func run(within limit: Interval = .seconds(20), until isDone: () -> Bool) -> Bool {
        let end = stage.network.now + limit
        while !isDone() {
            guard stage.network.now < end else { return false }
            stage.run(within: .milliseconds(1), until: isDone)
            if !verifierSleeps { verifier.verifyWaiting() }
            stage.network.ring(ProxyStage.alarm)
        }
        return true
    }

    /// The response to one request.
    func answer(_ request: String) -> Message {
        let client = stage.connect()
        client.ask(request)
        run { client.responses.count == 1 }
        client.leave()
        return client.responses.first ?? Message()
    }

    func call(
        _ token: String?, _ body: String = #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, session: String? = nil,
        extra: String = ""
    ) -> Message {
        let field = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return answer(.post(body, session: session, extra: field + extra))
    }

    func open(_ token: String?) -> (status: Int, session: String) {
        let answer = call(token, #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#)
        return (answer.status, answer["mcp-session-id"] ?? "")
    }
}
