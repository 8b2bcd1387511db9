import TestSupport
import Testing

@testable import MCP

/// What checks read of a server's answers.
@Suite("Answers to checks")
struct CatalogTests {
    private func hash(_ arrays: String...) -> UInt64? {
        var hash = CatalogHash()
        for array in arrays {
            guard hash.add(Array(array.utf8).span) else { return nil }
        }
        return hash.value
    }

    @Test(
        "the order of elements, of members and white space do not matter",
        arguments: [
            (#"[{"a":1,"b":[1,2]},{"c":"x"}]"#, #"[ {"c":"x"}, {"b":[2,1], "a":1} ]"#, true), ("[]", "[ ]", true),
            (#"[{"a":1}]"#, #"[{"a":2}]"#, false), (#"[{"a":1}]"#, #"[{"b":1}]"#, false), (#"["1"]"#, "[1]", false),
            ("[{}]", "[[]]", false), ("[]", "[{}]", false), ("[1]", "[1,1]", false),
            (#"[{"a":"b"}]"#, #"[{"b":"a"}]"#, false),
            (#"[{"a":{"b":1},"c":2}]"#, #"[{"a":{"b":2},"c":1}]"#, false), ("[true]", "[false]", false),
            (
                #"[{"name":"t","inputSchema":{"properties":{"x":{"type":"string"}}}}]"#,
                #"[{"inputSchema":{"properties":{"x":{"type":"string"}}},"name":"t"}]"#, true
            ),
        ])
    func catalogs(_ one: String, _ other: String, _ isSame: Bool) {
        #expect((hash(one) == hash(other)) == isSame)
        #expect(hash(one) != nil && hash(one) != 0)
    }

    @Test("pages add up, in any order")
    func pages() {
        #expect(hash("[1,2]", "[3]") == hash("[3,1]", "[2]"))
        #expect(hash("[1,2]") != hash("[1]"))
    }

    @Test(
        "what is no array of whole values has no hash", arguments: ["", "[", "[1", #"[{"a":"#, "1", "nonsense", "[1}"])
    func malformed(_ text: String) { #expect(hash(text) == nil) }

    private func answer(_ text: String) -> RPCAnswer? { RPCAnswer(Array(text.utf8).span) }

    @Test("results and errors, with what they say of versions")
    func answers() throws {
        let discover = try #require(
            answer(#"{"id":1,"result":{"x":[1],"supportedVersions":["2026-07-28",7,"2025-03-26"]}}"#))
        #expect(discover.kind == .result && discover.hasVersionList)
        #expect(discover.supported.names == ["2025-03-26", "2026-07-28"])
        let refusal = try #require(
            answer(#"{"error":{"data":{"requested":"x","supported":["2024-11-05"]},"code":-32022},"id":1}"#))
        #expect(refusal.kind == .error(code: -32022) && refusal.supported.names == ["2024-11-05"])
        let later = try #require(answer(#"{"result":{"supportedVersions":["2031-01-01"]}}"#))
        #expect(later.supported.names == ["later"] && later.supported.mayBeModern)
        for text in ["", "[]", "{}", "{\"id\":1}", #"{"method":"ping","id":1}"#, #"{"result":{}"#, #"{"result":{}} x"#]
        {
            #expect(answer(text) == nil, "\(text)")
        }
        for text in [#"{"result":null}"#, #"{"result":{"tools":{},"nextCursor":1,"protocolVersion":[]}}"#] {
            let result = try #require(answer(text))
            #expect(result.tools == nil && result.nextCursor == nil && result.protocolVersion == nil)
        }
        for (code, expected) in [("-32600", -32600), ("1", 1), ("1.5", 0), ("\"a\"", 0), ("99999999999", 0), ("{}", 0)]
        {
            #expect(answer(#"{"error":{"code":\#(code),"data":[1]}}"#)?.kind == .error(code: expected))
        }
    }

    @Test("revisions: what is not known may be anything")
    func revisions() {
        #expect(ProtocolRevisions().mayBeModern && ProtocolRevisions().isUnknown)
        for (text, isModern) in [
            ("2024-11-05", false), ("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", false),
            ("2026-07-28", true),
            ("2027-01-01", true), ("draft", true),
        ] {
            let revisions = ProtocolRevisions(version: Array(text.utf8).span)
            #expect(!revisions.isUnknown && revisions.mayBeModern == isModern, "\(text)")
        }
        for text in ["", "2025-11-2", "1999-01-01", "x"] {
            #expect(ProtocolRevisions(version: Array(text.utf8).span).isUnknown, "\(text)")
        }
    }

    @Test("cut and damaged answers never trap", arguments: 0..<50 as Range<UInt64>)
    func damage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let text = Array(
            #"{"jsonrpc":"2.0","id":"x","error":{"code":-32022,"data":{"supported":["2025-11-25"]}},"result":{"tools":[{}],"nextCursor":"\u0031"}}"#
                .utf8)
        for count in 0...text.count {
            var bytes = Array(text[..<count])
            if !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            if let answer = RPCAnswer(bytes.span), let tools = answer.tools {
                var hash = CatalogHash()
                _ = hash.add(bytes.span.extracting(tools))
            }
        }
    }
}
