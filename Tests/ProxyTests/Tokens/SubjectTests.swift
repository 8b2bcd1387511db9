import Kernel
import Simulation
import TestIssuer
import Testing
import Tokens

@testable import Proxy

@Suite("Sessions and their callers")
struct SubjectTests {
    private static func stage(_ seed: UInt64, _ affinity: SessionAffinityMode) async throws -> TokenStage {
        try TokenStage(seed, keys: await KeySet(document: TestIssuer.allKeys), affinity: affinity)
    }

    static let modes: [(SessionAffinityMode, UInt64)] = [(.signed, 1), (.signed, 2), (.learned, 1), (.learned, 2)]

    @Test("another caller's session is not found, and goes on for its own with a new token", arguments: modes)
    func stolen(affinity: SessionAffinityMode, seed: UInt64) async throws {
        let berth = try await Self.stage(seed, affinity)
        let (alice, bob) = (berth.token(), berth.token(["sub": "\"bob\""]))
        let session = berth.open(alice).session
        #expect(berth.call(alice, session: session).status == 200)
        let before = berth.server.server.requests.count
        let answer = berth.call(bob, session: session)
        #expect(answer.status == 404 && answer.text.contains("-32001"))
        #expect(berth.call(nil, session: session).status == 401)
        #expect(berth.server.server.requests.count == before)
        #expect(berth.call(berth.token(["jti": "\"2\""]), session: session).status == 200)
        // Nor can another end it.
        let delete = "DELETE /mcp HTTP/1.1\r\nHost: mcp.test\r\nMcp-Session-Id: \(session)\r\n"
        #expect(berth.answer(delete + "Authorization: Bearer \(bob)\r\n\r\n").status == 404)
        #expect(berth.call(alice, session: session).status == 200)
        #expect(berth.answer(delete + "Authorization: Bearer \(alice)\r\n\r\n").status == 200)
    }

    @Test("over two Berths with the same key", arguments: 1...3 as ClosedRange<UInt64>)
    func twoBerths(seed: UInt64) async throws {
        let one = try await Self.stage(seed, .signed)
        let other = try await Self.stage(seed + 100, .signed)
        let session = one.open(one.token()).session
        #expect(other.call(other.token(["sub": "\"bob\""]), session: session).status == 404)
        #expect(other.server.server.requests.isEmpty)
        // The other's server has no such session, but it is asked.
        #expect(other.call(other.token(), session: session).text.hasPrefix("unknown"))
        #expect(one.call(one.token(), session: session).status == 200)
    }

    @Test("a session that began without a caller is nobody's who has one, and the other way round")
    func unbound() async throws {
        let berth = try await Self.stage(1, .signed)
        let free = berth.answer(.post(#"{"id":1,"method":"initialize"}"#, to: "/free"))["mcp-session-id"] ?? ""
        #expect(berth.answer(.post("{}", to: "/free", session: free)).status == 200)
        #expect(berth.call(berth.token(), session: free).status == 404)
        let bound = berth.open(berth.token()).session
        #expect(berth.answer(.post("{}", to: "/free", session: bound)).status == 404)
    }

    @Test("no changed bit of a bound id is accepted")
    func bits() async throws {
        let berth = try await Self.stage(1, .signed)
        let token = berth.token()
        let session = berth.open(token).session
        let before = berth.server.server.requests.count
        for index in 3..<43 {
            var bytes = Array(session.utf8)
            bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            guard bytes != Array(session.utf8) else { continue }
            #expect(berth.call(token, session: String(decoding: bytes, as: UTF8.self)).status == 404)
        }
        #expect(berth.server.server.requests.count == before)
    }
}
