import Foundation
import MCP
import TestSupport
import Testing

@Suite("Routing headers of 2026-07-28")
struct RoutingHeadersTests {
    static func check(
        _ body: String, method: String, name: String = "", version: String = "2026-07-28"
    ) throws -> RoutingHeaders.Mismatch? {
        let (bytes, method, name, version) = (
            Array(body.utf8), Array(method.utf8), Array(name.utf8), Array(version.utf8)
        )
        let summary = try #require(Self.summary(bytes))
        return RoutingHeaders.check(
            method: method.span, name: name.span, version: version.span, summary, in: bytes.span)
    }

    static func summary(_ body: [UInt8]) -> RequestSummary? { RequestSummary(of: body.span) }

    static func call(_ name: String, meta: String = #""io.modelcontextprotocol/protocolVersion":"2026-07-28""#)
        -> String
    {
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":\#(name),"_meta":{\#(meta)}}}"#
    }

    static func base64(_ text: String) -> String { "=?base64?\(Data(text.utf8).base64EncodedString())?=" }

    @Test(
        "the name of a tool, as it is and in base64",
        arguments: [
            (#""get_weather""#, "get_weather", nil), (#""get_weather""#, base64("get_weather"), nil),
            (#""get weather""#, "get weather", nil), (#""a\tb""#, "a\tb", nil), (#""caf\u00e9""#, base64("café"), nil),
            (#""café""#, base64("café"), nil), (#""\ud83d\ude00!""#, base64("😀!"), nil), (#""a\/b\"""#, "a/b\"", nil),
            (#"" a ""#, base64(" a "), nil), (#""=?base64?eA==?=""#, base64("=?base64?eA==?="), nil),
            (#""=?BASE64?eA==?=""#, "=?BASE64?eA==?=", nil), (#""=?base64?eA==""#, "=?base64?eA==", nil),
            (#""x""#, "=?base64?eA==?=", nil), (#""""#, "", nil), (#""""#, base64(""), nil),
            (#""get_weather""#, "Get_weather", .name), (#""get_weather""#, "get_weathe", .name),
            (#""get_weather""#, "get_weather2", .name), (#""get_weather""#, "", .nameMissing),
            (#""get_weather""#, base64("get_weathe"), .name), (#""\ud83d""#, base64("?"), .name),
            (#""\ud83dx""#, base64("?x"), .name), (#""\ude00""#, base64("?"), .name), (#""\ud83d\u0041""#, "A", .name),
            ("1", "1", .name), (#""x","name":"x""#, "x", .name), (#""café""#, "café", .nameMalformed),
            (#""x""#, "=?base64?eA?=", .nameMalformed), (#""x""#, "=?base64?eB==?=", .nameMalformed),
            (#""x""#, "=?base64?e===?=", .nameMalformed), (#""x""#, "=?base64?eA==eA==?=", .nameMalformed),
            (#""x""#, "=?base64?_-==?=", .nameMalformed), (#""x""#, "=?base64?====?=", .nameMalformed),
            (#""a\u0000b""#, "a\0b", .nameMalformed),
        ] as [(String, String, RoutingHeaders.Mismatch?)])
    func names(_ name: String, _ header: String, _ mismatch: RoutingHeaders.Mismatch?) throws {
        #expect(try Self.check(Self.call(name), method: "tools/call", name: header) == mismatch)
    }

    @Test("which methods have a name, and which one")
    func methods() throws {
        let parameters = #""params":{"name":"n","uri":"u","taskId":"t"}"#
        for (method, name, isRequired) in [
            ("tools/call", "n", true), ("prompts/get", "n", true), ("resources/read", "u", true),
            ("tasks/get", "t", false),
            ("tasks/update", "t", false), ("tasks/cancel", "t", false),
        ] {
            let body = #"{"id":1,"method":"\#(method)",\#(parameters)}"#
            #expect(try Self.check(body, method: method, name: name) == nil)
            #expect(try Self.check(body, method: method, name: "other") == .name)
            #expect(try Self.check(body, method: method) == (isRequired ? .nameMissing : nil))
        }
        let list = #"{"id":1,"method":"tools/list",\#(parameters)}"#
        #expect(try Self.check(list, method: "tools/list", name: "whatever") == nil)
    }

    @Test("the method must be there and be the same")
    func method() throws {
        #expect(try Self.check(Self.call(#""x""#), method: "", name: "x") == .methodMissing)
        #expect(try Self.check(Self.call(#""x""#), method: "tools/Call", name: "x") == .method)
        #expect(try Self.check(Self.call(#""x""#), method: "tools/list", name: "x") == .method)
        #expect(try Self.check(#"{"id":1,"method":"tools\/list"}"#, method: "tools/list") == nil)
        #expect(try Self.check(#"{"method":"notifications/x"}"#, method: "") == nil)
        #expect(try Self.check(#"{"method":"notifications/x"}"#, method: "notifications/y") == .method)
        #expect(try Self.check(#"{"id":1,"result":{}}"#, method: "tools/list") == nil)
        #expect(try Self.check("[]", method: "tools/list") == nil)
    }

    @Test("the version is that of _meta, if there is one")
    func version() throws {
        let key = #""io.modelcontextprotocol/protocolVersion""#
        func check(_ meta: String, _ version: String = "2026-07-28") throws -> RoutingHeaders.Mismatch? {
            try Self.check(Self.call(#""x""#, meta: meta), method: "tools/call", name: "x", version: version)
        }
        #expect(try check("\(key):\"2026-07-28\"") == nil)
        #expect(try check("") == nil)
        #expect(try check("\(key):\"2025-11-25\"") == .version)
        #expect(try check("\(key):\"2026-07-28\"", "") == .version)
        #expect(try check("\(key):\"2026-07-28\",\(key):\"2026-07-28\"") == .version)
        #expect(try check("\(key):20260728") == .version)
    }

    @Test(
        "random names and headers: what Foundation encodes agrees, and nothing traps",
        arguments: 0..<20 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let scalars = (0..<Int.random(in: 1...12, using: &generator)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...(generator.oneIn(2) ? 0x7F : 0x1_FFFF), using: &generator))
            }
            let name = String(String.UnicodeScalarView(scalars))
            let body = try JSONSerialization.data(withJSONObject: [
                "id": 1, "method": "tools/call", "params": ["name": name],
            ])
            let text = String(decoding: body, as: UTF8.self)
            if !name.isEmpty {
                #expect(try Self.check(text, method: "tools/call", name: Self.base64(name)) == nil, "\(text)")
            }
            let other = String(decoding: generator.bytes(6, from: "=?base64abc"), as: UTF8.self)
            _ = try Self.check(text, method: "tools/call", name: "=?base64?\(other)?=")
            _ = try Self.check(
                Self.call("\"\\u\(generator.bytes(4, from: "d8c0f").map { String(UnicodeScalar($0)) }.joined())\""),
                method: "tools/call", name: "x")
        }
    }
}
