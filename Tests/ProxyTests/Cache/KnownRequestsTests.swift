import Caching
import Kernel
import MCP
import Reactor
import TestSupport
import Testing

@testable import Proxy

/// Requests that are found without being taken apart.
@Suite("Known requests")
struct KnownRequestsTests {
    private static let head = "POST /mcp HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\n\r\n"
    private static let before = #"{"jsonrpc":"2.0","id":"#
    private static let after = #","method":"tools/call","params":{"name":"get-weather","arguments":{"city":"Paris"}}}"#

    private static func handle(_ slot: UInt32) throws -> Handle {
        var slab = Slab<Int>(limit: 100)
        var made: Handle?
        for _ in 0...slot { made = slab.insert(0) }
        return try #require(made)
    }

    /// What is known of the same request with this head, id and rest, when the one with id 7777 was taken apart.
    private static func find(
        head: String = head, before: String = before, id: String, after: String = after
    ) throws -> KnownRequest? {
        var known = KnownRequests()
        let first = Array((Self.before + "7777" + Self.after).utf8)
        let firstHead = Array(Self.head.utf8)
        let read = RequestSummary(of: first.span)
        let summary = try #require(read)
        let standing = summary.id(in: first.span)
        let place = try #require(standing)
        var rules = CacheRules()
        rules.tools = [CacheRules.Tool(pattern: [UInt8(ascii: "*")], ttl: .seconds(60))]
        var key: [UInt8] = []
        let asked = CacheQuestion(summary, first.span, isModern: true, rules: rules, key: &key)
        let question = try #require(asked)
        let request = CachedRequest(question: question, keys: CacheKeys(shared: CacheKey(0, 1), own: nil))
        let cache = UpstreamCache(rules)
        known.remember(
            KnownRequest(request, cache, summary, id: place, head: firstHead.span, body: first.span), firstHead.span,
            first.span)
        var buffer = ByteBuffer()
        buffer.append(head + before + id + after)
        let body = head.utf8.count..<buffer.count
        let (one, other) = (try handle(1), try handle(2))
        let found = known.find(one, buffer, head: head.utf8.count, body: body)
        #expect(known.findAgain(one, buffer, head: head.utf8.count, body: body) === found)
        #expect(known.findAgain(other, buffer, head: head.utf8.count, body: body) === found)
        return found
    }

    @Test(
        "a request with another plain id of the same length is found", arguments: ["7777", "1234", #""ab""#, #""-_""#])
    func found(id: String) throws { #expect(try Self.find(id: id) != nil) }

    @Test(
        "an id that could be read as more than one value, or in two ways, is not passed over",
        arguments: [
            "0777", "77.7", "-777", "7e77", "null", "true", "7,7:", "[77]", #""""}"#, #""\"""#, #""\x""#, "7 77",
            "7\n77",
            #""" ""#, #""é"#, "\"\u{0}a\"", #"7","#, "",
        ])
    func unusualIDs(id: String) throws { #expect(try Self.find(id: id) == nil) }

    @Test("a request of other bytes, or with an id of another length, is another one")
    func others() throws {
        #expect(try Self.find(id: "77777") == nil)
        #expect(try Self.find(id: "7") == nil)
        #expect(try Self.find(head: Self.head.replacing("Bearer x", with: "Bearer y"), id: "7777") == nil)
        #expect(try Self.find(head: "X" + Self.head, id: "7777") == nil)
        #expect(try Self.find(id: "7777", after: Self.after.replacing("Paris", with: "Parma")) == nil)
        #expect(try Self.find(id: "7777", after: Self.after + " ") == nil)
        #expect(try Self.find(before: Self.before.replacing("2.0", with: "2.1"), id: "7777") == nil)
        #expect(try Self.find(id: "7777", after: String(repeating: "x", count: 4_096)) == nil)
    }

    @Test("any byte that is changed outside of the id makes another request")
    func everyByte() throws {
        for index in 0..<Self.after.utf8.count {
            var after = Array(Self.after.utf8)
            after[index] ^= 1
            #expect(try Self.find(id: "7777", after: String(decoding: after, as: UTF8.self)) == nil, "\(index)")
        }
        for index in Array(Self.head.utf8).indices {
            var head = Array(Self.head.utf8)
            head[index] ^= 1
            #expect(try Self.find(head: String(decoding: head, as: UTF8.self), id: "7777") == nil, "\(index)")
        }
    }
}
