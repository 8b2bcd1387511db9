import MCP
import TestSupport
import Testing

@Suite("Initialize result")
struct InitializeResultTests {
    private static func result(_ text: String, stream: Bool = false) -> InitializeResult? {
        InitializeResult(of: Array(text.utf8).span, isEventStream: stream)
    }

    private static func result(capabilities: String, revision: String = "2025-11-25", name: String = "s")
        -> InitializeResult?
    {
        result(
            #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"\#(revision)","capabilities":\#(capabilities),"serverInfo":{"version":"1","name":"\#(name)"}}}"#
        )
    }

    @Test("it is read from a message, or from the events of a stream")
    func forms() throws {
        let message = #"{"result":{"capabilities":{"tools":{}},"protocolVersion":"2025-06-18"},"id":1}"#
        let plain = try #require(Self.result(message))
        #expect(text(plain.protocolVersion) == "2025-06-18")
        #expect(text(plain.capabilities) == #"{"tools":{}}"#)
        for end in ["\n", "\r\n", "\r"] {
            let events = [":ping", "", "id: 1", "data:", "", "event: message", "data: \(message)", "", ""]
            #expect(Self.result(events.joined(separator: end), stream: true) == plain)
        }
    }

    @Test(
        "what is none",
        arguments: [
            "", "{}", #"{"result":{}}"#, #"{"result":[]}"#, #"{"error":{"code":1},"id":1}"#,
            #"{"result":{"protocolVersion":1,"capabilities":{}}}"#, #"{"result":{"protocolVersion":"a"}}"#,
            #"{"result":{"protocolVersion":"a","capabilities":{}}"#, "data: {}\n\n", "[]", "null", "\u{0}",
        ])
    func none(_ body: String) {
        #expect(Self.result(body) == nil)
        #expect(Self.result(body, stream: true) == nil)
    }

    private static let pairs: [(old: String, new: String, isEnough: Bool)] = [
        ("{}", "{}", true), ("{}", #"{"tools":{}}"#, true), (#"{"tools":{}}"#, "{}", false),
        (#"{"tools":{"listChanged":true}}"#, #"{ "x":1, "tools" : {"y":[1,2],"listChanged":true} }"#, true),
        (#"{"tools":{"listChanged":true}}"#, #"{"tools":{"listChanged":false}}"#, false),
        (#"{"tools":{"listChanged":true}}"#, #"{"tools":{}}"#, false), (#"{"a":[1]}"#, #"{"a":[1,2]}"#, false),
        (#"{"a":{}}"#, #"{"a":1}"#, false), (#"{"a":1}"#, #"{"a":{}}"#, false), (#"{"a":"x"}"#, #"{"a":"x"}"#, true),
    ]

    @Test("another server may offer more, and no less", arguments: pairs.indices)
    func replaces(index: Int) throws {
        let pair = Self.pairs[index]
        let old = try #require(Self.result(capabilities: pair.old))
        let new = try #require(Self.result(capabilities: pair.new))
        #expect(new.canReplace(old) == pair.isEnough)
    }

    @Test("another revision is another server, another name is not")
    func others() throws {
        let old = try #require(Self.result(capabilities: "{}"))
        #expect(Self.result(capabilities: "{}", revision: "2025-06-18")?.canReplace(old) == false)
        #expect(Self.result(capabilities: "{}", name: "t")?.canReplace(old) == true)
    }

    @Test("nesting has no cost that a server could choose")
    func deep() throws {
        let deep = String(repeating: #"{"a":"#, count: 400) + "1" + String(repeating: "}", count: 400)
        let old = try #require(Self.result(capabilities: deep))
        #expect(try #require(Self.result(capabilities: deep)).canReplace(old))
        #expect(try #require(Self.result(capabilities: deep + " ")).canReplace(old))
        let other = String(repeating: #"{"a":"#, count: 400) + "2" + String(repeating: "}", count: 400)
        #expect(try #require(Self.result(capabilities: other)).canReplace(old) == false)
    }
}

@Suite("Session effect")
struct SessionEffectTests {
    private static func effect(_ body: String, readOnly: Bool = false) -> SessionEffect {
        SessionEffect(of: RequestSummary(of: Array(body.utf8).span), isReadOnly: readOnly)
    }

    @Test("what may leave state at a server, and what does not")
    func effects() {
        #expect(Self.effect(#"{"id":1,"method":"tools/call","params":{"name":"a"}}"#) == .dirties)
        #expect(Self.effect(#"{"id":1,"method":"tools/call","params":{"name":"a"}}"#, readOnly: true) == .none)
        for method in ["tools/list", "ping", "prompts/get", "resources/read", "notifications/initialized"] {
            #expect(Self.effect(#"{"id":1,"method":"\#(method)"}"#) == .none, "\(method)")
        }
        for body in [
            "", "x", "[]", #"[{"id":1,"method":"ping"}]"#, #"{"id":1,"result":{}}"#, #"{"id":1,"method":"initialize"}"#,
            #"{"id":1,"method":"tasks/list"}"#, #"{"id":1,"method":"vendor/own"}"#,
            #"{"id":1,"method":"resources/subscribe"}"#, #"{"id":1,"method":"ping","method":"tools/call"}"#,
        ] {
            #expect(Self.effect(body) == .dirties, "\(body)")
            #expect(Self.effect(body, readOnly: true) == .dirties, "\(body)")
        }
    }

    @Test("messages that set something are told from most others without reading them")
    func filter() {
        func may(_ body: String) -> Bool { MessageText.maySetSessionState(Array(body.utf8).span) }
        #expect(may(#"{"method":"logging/setLevel"}"#) && may(#"{"method":"resources/unsubscribe"}"#))
        #expect(may(#"{"method":"resources/subscribe","params":{}}"#))
        #expect(!may(#"{"method":"tools/call","params":{"name":"a/b"}}"#) && !may("/") && !may(""))
        #expect(!may(String(repeating: " ", count: 5_000) + "/subscribe"))
    }

    @Test(
        "a 404 with another error than a lost session's is told apart",
        arguments: [
            (#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}"#, false),
            (#"{"id":null,"error":{"code":-32001,"message":"Session not found"}}"#, false),
            ("session not found", false), ("<html>", false), ("", false), ("{}", false), (#"{"error":"no"}"#, false),
            (#"{"id":1,"error":{"code":-32601,"message":"Method not found"}}"#, true),
            (#"{"id":1,"error":{"message":"x","code":42}}"#, true), (#"{"id":1,"error":{"code":-32601}"#, false),
        ])
    func notFound(_ body: String, _ isOther: Bool) {
        #expect(SessionNotFound.isAnotherError(Array(body.utf8).span) == isOther)
    }
}
