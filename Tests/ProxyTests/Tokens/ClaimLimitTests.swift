import Kernel
import Simulation
import TestIssuer
import TestSupport
import Testing
import Tokens

@testable import Proxy

/// Requests that are counted by what verified tokens say of their callers.
@Suite("Rate limits by claims")
struct ClaimLimitTests {
    private static func stage(_ seed: UInt64, _ rules: String, _ auth: String = "") async throws -> TokenStage {
        let berth = try TokenStage(
            seed, auth, route: "rate_limit = [\(rules)]", keys: await KeySet(document: TestIssuer.allKeys))
        berth.server.server.handler = { _ in .reply("ok") }
        return berth
    }

    private static func statuses(_ berth: TokenStage, _ changes: [[String: String?]]) -> [Int] {
        changes.enumerated().map { index, changes in
            // Each call has a token of its own: it is the caller that counts.
            var changes = changes
            changes["jti"] = "\"\(index)\""
            return berth.call(berth.token(changes)).status
        }
    }

    @Test("by the subject, whatever token it comes with", arguments: 1...3 as ClosedRange<UInt64>)
    func subject(seed: UInt64) async throws {
        let berth = try await Self.stage(seed, #"{ key = "claim:sub", rate = "2/d" }"#)
        let bob: [String: String?] = ["sub": "\"bob\""]
        #expect(Self.statuses(berth, [[:], [:], [:], bob, bob, bob, [:]]) == [200, 200, 429, 200, 200, 429, 429])
        // Nobody counts who is nobody.
        #expect(berth.call(nil).status == 401 && berth.call("x").status == 401)
        #expect(berth.server.server.requests.count == 4)
        berth.stage.expectEveryExchangeEndedOnce()
        berth.stage.expectNoLeaks()
    }

    @Test("by another claim; who has none counts by the subject")
    func tenant() async throws {
        let berth = try await Self.stage(1, #"{ key = "claim:org", rate = "2/d" }"#)
        let acme: [[String: String?]] = ["alice", "bob", "carol"].map { ["sub": "\"\($0)\"", "org": "\"acme\""] }
        #expect(Self.statuses(berth, acme) == [200, 200, 429])
        #expect(Self.statuses(berth, [["org": "7"], ["org": "7"], ["org": "\"7\""]]) == [200, 200, 429])
        // A claim that is called like somebody's subject is not that subject.
        let none: [[String: String?]] = [[:], [:], [:], ["sub": "\"bob\""], ["sub": "\"acme\""]]
        #expect(Self.statuses(berth, none) == [200, 200, 429, 200, 200])
    }

    @Test("what a client says under that name does not count, and servers get no field of it")
    func forged() async throws {
        let berth = try await Self.stage(1, #"{ key = "claim:org", rate = "1/d" }"#)
        let token = berth.token(["org": "\"acme\""])
        #expect(berth.call(token, extra: "org: a\r\nx-org: a\r\n").status == 200)
        #expect(berth.call(token, extra: "org: b\r\nx-org: b\r\n").status == 429)
        #expect(berth.server.server.requests.allSatisfy { request in !request.fields.contains { $0.value == "acme" } })
    }

    @Test("keys of callers by their names, apart from the subjects of tokens; requests at once")
    func apiKeys() async throws {
        let berth = try await Self.stage(1, #"{ key = "claim:sub", concurrency = 1 }"#, #"api_keys = "callers""#)
        let file = try #require(berth.auth?.apiKeys)
        let text = "alice \(TestIssuer.hash("key-1"))\nci \(TestIssuer.hash("key-2"))\n"
        file.install(try APIKeys(file: Array(text.utf8), issuer: "file"))
        berth.server.server.handler = { $0.text.contains("hold") ? [] : .reply("ok") }
        let client = berth.stage.connect()
        client.ask(.post(#"{"jsonrpc":"2.0","id":1,"method":"hold"}"#, extra: "Authorization: Bearer key-1\r\n"))
        berth.run { berth.server.server.requests.count == 1 }
        #expect(berth.call("key-1").status == 503)
        #expect(berth.call("key-2").status == 200)
        #expect(berth.call(berth.token()).status == 200, "an alice of the issuer is another one")
        client.leave()
        berth.run(within: .milliseconds(100)) { false }
        #expect(berth.call("key-1").status == 200)
        berth.stage.expectNoLeaks()
    }
}
