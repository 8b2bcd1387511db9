import Configuration
import Kernel
import Reactor
import TestIssuer
import Testing
import Tokens

@testable import Proxy

/// When the keys of an issuer are looked at again, and which tokens wait for that.
@Suite("Keys of an issuer")
struct IssuerKeysTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    private let keys: IssuerKeys
    private let auth: RouteAuth
    private let mailbox: Mailbox<WorkerMessage>

    init() throws {
        let url = try #require(KeyURL("https://login.example.com/keys"))
        keys = IssuerKeys(.url(url))
        auth = RouteAuth(AuthConfiguration())
        mailbox = try Mailbox(limit: 4)
    }

    private func job(_ token: String) -> TokenJob {
        TokenJob(token: Array(token.utf8), auth: auth, key: TokenKey(high: 0, low: 0), now: 0, worker: mailbox)
    }

    private func install(_ name: String, at now: Instant) async throws -> Int {
        let set = try await KeySet(document: TestIssuer.allKeys)
        return keys.install(set, from: Array(name.utf8), at: now).waiting.count
    }

    @Test("the first look is at once, and the next one in time")
    func first() async throws {
        #expect(keys.isDue(at: Self.start))
        #expect(try await install("1", at: Self.start) == 0)
        #expect(!keys.isDue(at: Self.start + .seconds(299)) && keys.isDue(at: Self.start + .seconds(300)))
    }

    @Test("a new key is looked for at once, twice; then once in ten seconds, and tokens wait for that")
    func allowance() async throws {
        var now = Self.start
        _ = try await install("0", at: now)
        for number in 1...2 {
            now = now + .seconds(1)
            #expect(keys.park(job("h\(number).x.y"), at: now) == .parked)
            #expect(keys.isDue(at: now))
            #expect(try await install("\(number)", at: now) == 1)
        }
        for number in 3...6 {
            #expect(keys.park(job("h\(number).x.y"), at: now) == .parked)
            #expect(keys.park(job("h\(number).x.z"), at: now) == .parked)
            #expect(!keys.isDue(at: now))
            var waited = 0
            while !keys.isDue(at: now) { (now, waited) = (now + .milliseconds(100), waited + 100) }
            #expect(waited <= 10_000 && waited >= 8_000, "\(number): \(waited)")
            #expect(try await install("\(number)", at: now) == 2)
        }
        // What was not used comes back, and no more than that.
        now = now + .seconds(250)
        for number in 7...8 {
            #expect(keys.park(job("h\(number).x.y"), at: now) == .parked && keys.isDue(at: now))
            _ = keys.noteFailure(at: now)
            now = now + .milliseconds(1)
        }
        #expect(keys.park(job("h9.x.y"), at: now) == .parked)
        #expect(!keys.isDue(at: now))
    }

    @Test("what was looked for a moment ago is not looked for again, whatever token asks for it")
    func absent() async throws {
        var now = Self.start
        _ = try await install("0", at: now)
        #expect(keys.park(job("gone.x.y"), at: now) == .parked)
        _ = try await install("1", at: now)
        keys.noteAbsent(job("gone.x.y"), at: now)
        #expect(keys.park(job("gone.other.z"), at: now + .seconds(9)) == .refused)
        #expect(keys.park(job("new.x.y"), at: now + .seconds(9)) == .parked)
        #expect(keys.park(job("gone.other.z"), at: now + .seconds(9)) == .refused)
        now = now + .seconds(10)
        _ = try await install("2", at: now)
        #expect(keys.park(job("gone.other.z"), at: now) == .parked)
    }

    @Test("no more tokens wait than may")
    func bound() async throws {
        _ = try await install("0", at: Self.start)
        let results = (0..<300).map { keys.park(job("h\($0).x.y"), at: Self.start) }
        #expect(results.count { $0 == .parked } == 256)
        #expect(try await install("1", at: Self.start) == 256)
    }
}
