import Caching
import Kernel
import MCP
import TestSupport
import Testing

@Suite("The cache of answers")
struct AnswerCacheTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    private func question(_ method: String = "tools/list", _ subject: String? = nil) throws -> CacheQuestion {
        let params = subject.map { #"{"uri":"\#($0)","name":"\#($0)"}"# } ?? "{}"
        let body = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        var rules = CacheRules()
        rules.tools = [CacheRules.Tool(pattern: [UInt8(ascii: "*")], ttl: .seconds(60))]
        return try #require(CacheQuestion.read(body, rules: rules)).question
    }

    private func result(_ text: String = "x", ttl: Int = 60_000, scope: String = "public") throws -> CacheableResult {
        let body =
            #"{"jsonrpc":"2.0","id":1,"result":{"v":"\#(text)","ttlMs":\#(ttl),"cacheScope":"\#(scope)","#
            + #""resultType":"complete"}}"#
        return try #require(CacheableResult.read(body))
    }

    private func keys(_ number: UInt64, caller: UInt64? = nil) -> CacheKeys {
        CacheKeys(shared: CacheKey(0, number), own: caller.map { CacheKey($0, number) })
    }

    private func cache(_ change: (inout CacheRules) -> Void = { _ in }) -> AnswerCache<Int> {
        var rules = CacheRules()
        change(&rules)
        return AnswerCache(rules: rules)
    }

    /// Looks and, where nothing is there, fetches.
    private func fill(
        _ cache: AnswerCache<Int>, _ keys: CacheKeys, _ question: CacheQuestion, _ result: CacheableResult,
        at now: Instant = start
    ) throws {
        guard case .fetch(let fetch, _) = cache.look(up: keys, question, at: now, waiter: nil) else {
            Issue.record("nothing to fetch")
            return
        }
        #expect(cache.end(fetch, .answered(result, fields: []), at: now).isEmpty)
    }

    private func isFresh(_ lookup: AnswerCache<Int>.Lookup) -> Bool { if case .fresh = lookup { true } else { false } }

    @Test("the first one fetches, the others wait, all get the answer until its time is over")
    func coalescing() throws {
        let (cache, question, now) = (cache(), try question(), Self.start)
        guard case .fetch(let fetch, nil) = cache.look(up: keys(1), question, at: now, waiter: 0) else {
            Issue.record("the first one fetches")
            return
        }
        for waiter in 1...3 {
            guard case .wait = cache.look(up: keys(1), question, at: now, waiter: waiter) else {
                Issue.record("the others wait")
                return
            }
        }
        guard case .pass(nil) = cache.look(up: keys(1), question, at: now, waiter: nil) else {
            Issue.record("one that will not wait passes")
            return
        }
        #expect(cache.end(fetch, .answered(try result(), fields: []), at: now) == [1, 2, 3])
        #expect(cache.end(fetch, .failed, at: now).isEmpty, "it has ended")
        #expect(isFresh(cache.look(up: keys(1), question, at: now + .seconds(59), waiter: 4)))
        guard case .fetch(_, .some) = cache.look(up: keys(1), question, at: now + .seconds(60), waiter: 4) else {
            Issue.record("its time is over; it may serve if the server fails")
            return
        }
        guard case .fetch(let other, nil) = cache.look(up: keys(2), question, at: now, waiter: 5) else {
            Issue.record("another question")
            return
        }
        _ = cache.look(up: keys(2), question, at: now, waiter: 6)
        #expect(cache.end(other, .failed, at: now) == [6])
        guard case .fetch = cache.look(up: keys(2), question, at: now, waiter: 6) else {
            Issue.record("the next one fetches")
            return
        }
    }

    @Test("what is not to be kept makes nobody wait for some seconds")
    func unfit() throws {
        let (cache, question, now) = (cache(), try question(), Self.start)
        guard case .fetch(let fetch, _) = cache.look(up: keys(1), question, at: now, waiter: 0) else { return }
        _ = cache.end(fetch, .unfit, at: now)
        for waiter in 0..<3 {
            guard case .pass(nil) = cache.look(up: keys(1), question, at: now + .seconds(9), waiter: waiter) else {
                Issue.record("passes")
                return
            }
        }
        guard case .fetch = cache.look(up: keys(1), question, at: now + .seconds(11), waiter: 0) else {
            Issue.record("is tried again")
            return
        }
    }

    @Test("an answer for one caller never gets to another: 10^6 pairs of callers and questions")
    func personal() throws {
        let cache = cache { $0.maximumBytes = 1 << 30 }
        let question = try question()
        let now = Self.start
        var random = SeededGenerator(seed: 3)
        var answers: [UInt64: [UInt64: CacheableResult]] = [:]
        let results = try (0..<64).map { try result("for \($0)", scope: "private") }
        for _ in 0..<1_000_000 {
            let caller = random.next() % 1_000 + 1
            let number = random.next() % 200
            switch cache.look(up: keys(number, caller: caller), question, at: now, waiter: nil) {
            case .fresh(let answer):
                #expect(answer.result == answers[caller]?[number])
            case .fetch(let fetch, _):
                let mine = results[Int((caller &* 31 &+ number) % 64)]
                answers[caller, default: [:]][number] = mine
                _ = cache.end(fetch, .answered(mine, fields: []), at: now)
            case .wait, .pass: Issue.record("nobody waits here")
            }
        }
        // Without a credential there is nothing to find.
        for number in 0..<200 as Range<UInt64> {
            let lookup = cache.look(up: keys(number), question, at: now, waiter: nil)
            #expect(!isFresh(lookup))
        }
    }

    @Test("callers wait for the same answer until it is known to be for one of them alone")
    func personalFetches() throws {
        let (cache, question, now) = (cache(), try question(), Self.start)
        guard case .fetch(let first, _) = cache.look(up: keys(1, caller: 1), question, at: now, waiter: 1),
            case .wait = cache.look(up: keys(1, caller: 2), question, at: now, waiter: 2)
        else {
            Issue.record("one fetches, one waits")
            return
        }
        #expect(cache.end(first, .answered(try result(scope: "private"), fields: []), at: now) == [2])
        guard case .fetch(let second, nil) = cache.look(up: keys(1, caller: 2), question, at: now, waiter: 2),
            case .fetch = cache.look(up: keys(1, caller: 3), question, at: now, waiter: 3)
        else {
            Issue.record("each fetches its own")
            return
        }
        _ = cache.end(second, .answered(try result("two", scope: "private"), fields: []), at: now)
        guard case .fresh(let answer) = cache.look(up: keys(1, caller: 2), question, at: now, waiter: nil) else {
            Issue.record("its own is there")
            return
        }
        #expect(answer.result == (try result("two", scope: "private")))
        guard case .pass(nil) = cache.look(up: keys(1), question, at: now, waiter: 9) else {
            Issue.record("who has no credential asks a server")
            return
        }
    }

    @Test("a change takes out what it concerns, also what is being fetched, and nothing else")
    func changes() throws {
        let now = Self.start
        let questions: [(UInt64, CacheQuestion, ServerChange?)] = [
            (1, try question("tools/list"), .tools), (2, try question("prompts/list"), .prompts),
            (3, try question("resources/list"), .resources), (4, try question("resources/templates/list"), .resources),
            (5, try question("resources/read", "a"), .resource([UInt8(ascii: "a")])),
            (6, try question("resources/read", "b"), .resource([UInt8(ascii: "b")])),
            (7, try question("server/discover"), nil), (8, try question("tools/call", "a"), nil),
        ]
        for change in [ServerChange.tools, .prompts, .resources, .resource([UInt8(ascii: "a")]), .someResource] {
            let cache = cache()
            for (number, question, _) in questions { try fill(cache, keys(number), question, try result()) }
            cache.invalidate(change)
            for (number, question, own) in questions {
                let isGone = own == change || (change == .someResource && question.method == .resourcesRead)
                #expect(isFresh(cache.look(up: keys(number), question, at: now, waiter: nil)) != isGone)
            }
        }
        let cache = cache()
        let question = try question()
        guard case .fetch(let fetch, _) = cache.look(up: keys(90), question, at: now, waiter: 1) else { return }
        cache.invalidate(.tools)
        guard case .pass(nil) = cache.look(up: keys(90), question, at: now, waiter: 2) else {
            Issue.record("nobody waits for the old answer")
            return
        }
        _ = cache.end(fetch, .answered(try result(), fields: []), at: now)
        #expect(!isFresh(cache.look(up: keys(90), question, at: now, waiter: nil)))
    }

    @Test("operators take out all, a method, a tool, what fits a pattern")
    func purging() throws {
        let cache = cache()
        func fillAll() throws {
            _ = cache.purge(CachePurge())
            try fill(cache, keys(1), try question(), try result())
            try fill(cache, keys(2), try question("tools/call", "get-a"), try result())
            try fill(cache, keys(3), try question("tools/call", "get-b"), try result())
            try fill(cache, keys(4), try question("resources/read", "file:///x"), try result())
        }
        for (method, subject, count) in [
            (nil, nil, 4), (.toolsCall, nil, 2), (.toolsCall, "get-a", 1), (nil, "get-*", 2), (nil, "file:*", 1),
            (.promptsList, nil, 0),
        ] as [(MCPMethod?, String?, Int)] {
            try fillAll()
            var purge = CachePurge()
            purge.method = method
            purge.subject = subject.map { Array($0.utf8) }
            #expect(cache.purge(purge) == count && cache.status.entries == 4 - count)
        }
    }

    @Test("bytes are bounded, and so is everything else that requests can make grow")
    func bounds() throws {
        let cache = cache { $0.maximumBytes = 100_000 }
        let question = try question()
        let value = try result(String(repeating: "y", count: 1_000))
        for number in 0..<20_000 as Range<UInt64> {
            try fill(cache, keys(number), question, value)
        }
        #expect(cache.status.bytes <= 100_000 && cache.status.entries > 20)
        #expect(cache.status.evictions == UInt64(20_000 - cache.status.entries))
        let huge = try result(String(repeating: "z", count: 200_000))
        try fill(cache, keys(50_000), question, huge)
        #expect(cache.status.bytes <= 100_000 && cache.status.fetches == 0)
        for number in 60_000..<80_000 as Range<UInt64> {
            guard case .fetch(let fetch, _) = cache.look(up: keys(number), question, at: Self.start, waiter: 0) else {
                return
            }
            _ = cache.end(fetch, .unfit, at: Self.start)
        }
    }

    @Test("events are counted by method and tool; tools beyond a bound have one series")
    func counts() throws {
        let cache = cache()
        try fill(cache, keys(1), try question(), try result())
        for _ in 0..<3 { _ = cache.look(up: keys(1), try question(), at: Self.start, waiter: nil) }
        _ = cache.look(up: keys(1), try question(), at: Self.start, waiter: nil, countingAs: .coalesced)
        for number in 0..<300 as Range<UInt64> {
            let question = try question("tools/call", "t\(number)")
            _ = cache.look(up: keys(100 + number), question, at: Self.start, waiter: nil)
            cache.count(.miss, question)
        }
        let numbers = cache.status.counts.numbers
        let lists = numbers.first { $0.key.method == .toolsList }?.value
        #expect(lists?[CacheEvent.hit.rawValue] == 3 && lists?[CacheEvent.coalesced.rawValue] == 1)
        #expect(numbers.count == 202)
        #expect(numbers.first { $0.key.tool == "_OTHER" }?.value[CacheEvent.miss.rawValue] == 100)
    }
}
