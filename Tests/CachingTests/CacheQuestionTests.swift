import Caching
import Kernel
import MCP
import Testing

@Suite("Questions whose answers may be kept")
struct CacheQuestionTests {
    private func rules() -> CacheRules {
        var rules = CacheRules()
        rules.tools = [
            CacheRules.Tool(pattern: Array("get-*".utf8), ttl: .seconds(300)),
            CacheRules.Tool(pattern: Array("search".utf8), ttl: .seconds(10)),
        ]
        rules.sessionLists = .seconds(60)
        return rules
    }

    private func key(_ body: String, isModern: Bool = true, rules: CacheRules? = nil) -> (CacheQuestion, [UInt8])? {
        CacheQuestion.read(body, isModern: isModern, rules: rules ?? self.rules())
    }

    private func request(_ method: String, _ params: String?, id: String = "1") -> String {
        let tail = params.map { #","params":\#($0)"# } ?? ""
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)"\#(tail)}"#
    }

    @Test("the six methods of 2026-07-28, and no others")
    func methods() throws {
        for method in [
            "server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list",
            "resources/read",
        ] {
            let (question, _) = try #require(key(request(method, "{}")), "\(method)")
            #expect(question.authority == .server)
        }
        for method in ["prompts/get", "completion/complete", "ping", "tools/call", "subscriptions/listen", "x"] {
            #expect(key(request(method, #"{"name":"other"}"#)) == nil, "\(method)")
        }
        #expect(key(#"{"jsonrpc":"2.0","method":"tools/list"}"#) == nil, "a notification")
        #expect(key("[\(request("tools/list", nil))]") == nil, "a batch")
    }

    @Test("tools that the operator vouches for, of any revision; lists of sessions where he says so")
    func vouched() throws {
        for isModern in [true, false] {
            let call = request("tools/call", #"{"name":"get-weather","arguments":{"city":"Bern"}}"#)
            let (question, _) = try #require(key(call, isModern: isModern))
            #expect(question.authority == .vouched(.seconds(300)) && question.subject == Array("get-weather".utf8))
        }
        let (search, _) = try #require(key(request("tools/call", #"{"name":"search"}"#)))
        #expect(search.authority == .vouched(.seconds(10)))
        #expect(key(request("tools/call", #"{"name":"forget-me"}"#)) == nil)
        #expect(key(request("tools/call", #"{"name":"search","name":"x"}"#)) == nil)

        let (list, _) = try #require(key(request("tools/list", nil), isModern: false))
        #expect(list.authority == .vouched(.seconds(60)))
        #expect(key(request("resources/read", #"{"uri":"a"}"#), isModern: false) == nil)
        #expect(key(request("tools/list", nil), isModern: false, rules: CacheRules()) == nil)
    }

    @Test("a tool's rule is found by its name, however that is written")
    func escapedTool() throws {
        let (question, _) = try #require(key(request("tools/call", #"{"name":"searc\u0068"}"#)))
        #expect(question.authority == .vouched(.seconds(10)) && question.subject == Array("search".utf8))
    }

    @Test("what servers may read in two ways is not kept")
    func ambiguous() {
        #expect(
            key(#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a"},"Params":{"uri":"b"}}"#) == nil
        )
        #expect(key(#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"extra":1}"#) == nil)
        #expect(key(request("tools/list", #"{"cursor":"1","cursor":"2"}"#)) == nil)
        #expect(key(request("tools/list", #"{"cursor":"1","\u0063ursor":"2"}"#)) == nil)
        #expect(key(request("tools/list", #"{"_meta":{"a":1,"a":2}}"#)) == nil)
    }

    private static let meta =
        #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    @Test("the order of members, the id, who asks and for which trace make no difference")
    func same() throws {
        let bodies = [
            request("resources/read", #"{"uri":"file:///a","_meta":\#(Self.meta)}"#),
            request("resources/read", #"{ "_meta" : \#(Self.meta) , "uri" : "file:\/\/\/a" }"#, id: #""abc""#),
            request(
                "resources/read",
                #"""
                {"uri":"file:///a","_meta":{"progressToken":7,"io.modelcontextprotocol/clientCapabilities":{},
                "traceparent":"00-1-1-01","io.modelcontextprotocol/clientInfo":{"name":"x"},
                "io.modelcontextprotocol/protocolVersion":"2026-07-28"}}
                """#),
        ]
        let keys = try bodies.map { try #require(key($0), "\($0)").1 }
        #expect(Set(keys).count == 1)
    }

    @Test("everything else does")
    func different() throws {
        let params = [
            "{}", #"{"cursor":"a"}"#, #"{"cursor":"b"}"#, #"{"cursor":null}"#, #"{"x":1}"#, #"{"x":2}"#,
            #"{"_meta":{}}"#, #"{"_meta":\#(Self.meta)}"#, #"{"_meta":{"tenant":"a"}}"#, #"{"_meta":{"tenant":"b"}}"#,
            #"{"x":{"progressToken":1}}"#, #"{"x":{"progressToken":2}}"#,
        ]
        let keys = try params.map { try #require(key(request("resources/list", $0)), "\($0)").1 }
        #expect(Set(keys).count == params.count)
        let methods = try ["tools/list", "prompts/list"].map { try #require(key(request($0, "{}"))).1 }
        #expect(Set(methods).count == 2)
    }

    @Test("what goes on with an earlier request, or cannot be read, is not kept")
    func refused() {
        for params in [
            #"{"inputResponses":{}}"#, #"{"requestState":"x"}"#, #"{"task":{}}"#, #"{"request\u0053tate":"x"}"#, "[]",
            #"{"x":"\ud800"}"#, #"{"x":\#(String(repeating: "[", count: 70))\#(String(repeating: "]", count: 70))}"#,
            #"{"x":"\#(String(repeating: "y", count: 20_000))"}"#,
        ] {
            #expect(key(request("tools/list", params)) == nil, "\(params.prefix(80))")
        }
    }

    @Test(
        "patterns",
        arguments: [
            ("get-*", "get-weather", true), ("get-*", "get-", true), ("get-*", "forget-x", false), ("*", "", true),
            ("a*b*c", "aXbYc", true), ("a*b*c", "aXbY", false), ("*-x", "a-x-x", true), ("", "", true),
            ("", "a", false),
            ("a", "ab", false), ("**a", "bba", true),
        ])
    func patterns(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern.fits(Array(pattern.utf8).span, Array(name.utf8).span) == fits)
    }
}
