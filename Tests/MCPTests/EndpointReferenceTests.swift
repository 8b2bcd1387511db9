import MCP
import TestSupport
import Testing

@Suite("Endpoint reference")
struct EndpointReferenceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var data: String
        var target = "/sse"
        var expected: String?
        var testDescription: String { name }

        init(_ name: String, _ data: String, at target: String = "/sse", _ expected: String?) {
            (self.name, self.data, self.target, self.expected) = (name, data, target, expected)
        }
    }

    static func resolve(_ data: String, at target: String) -> String? {
        let data = Array(data.utf8)
        let target = Array(target.utf8)
        return EndpointReference.resolve(data: data.span, against: target.span).map { text($0) }
    }

    static let servers = [
        Case(
            "Python", "/messages/?session_id=f9dcaabd492342a7a22693b6301f0cd0",
            "/messages/?session_id=f9dcaabd492342a7a22693b6301f0cd0"),
        Case(
            "Python mounted below a root path", "/api/messages/?session_id=f9dc", at: "/api/sse",
            "/api/messages/?session_id=f9dc"),
        Case(
            "TypeScript, with the hash of its endpoint", "/messages?sessionId=3b241101-e2bb#top",
            "/messages?sessionId=3b241101-e2bb"),
        Case(
            "Go: its own path, query replaced", "/sse?sessionid=LDHKJYXN7ELQX5JJGB5QCS5T4A", at: "/sse?token=1",
            "/sse?sessionid=LDHKJYXN7ELQX5JJGB5QCS5T4A"),
        Case("Go as a query alone", "?sessionid=LDHK", at: "/mcp/sse?token=1", "/mcp/sse?sessionid=LDHK"),
        Case("Java with a base URL", "http://10.0.0.4:8080/mcp/message?sessionId=3b24", "/mcp/message?sessionId=3b24"),
        Case("Java without", "/mcp/message?sessionId=3b24", "/mcp/message?sessionId=3b24"),
        Case("C#", "/tools/message?sessionId=3q2-7w", at: "/tools/sse", "/tools/message?sessionId=3q2-7w"),
        Case("C# as a relative path", "message?sessionId=3q2-7w", at: "/tools/sse", "/tools/message?sessionId=3q2-7w"),
        Case(
            "mcp-go with full URLs", "https://internal.example:9443/message?sessionId=3b24&token=1",
            "/message?sessionId=3b24&token=1"),
        Case("mcp-go without", "/message?sessionId=3b24", "/message?sessionId=3b24"),
    ]

    static let forms = [
        Case("relative", "messages?x=1", at: "/a/b/sse", "/a/b/messages?x=1"),
        Case("relative to a directory", "messages", at: "/a/b/", "/a/b/messages"),
        Case("relative at the root", "messages", at: "/", "/messages"),
        Case("dot", "./m", at: "/a/sse?x=/y/z", "/a/m"),
        Case("two dots", "../m", at: "/a/b/sse", "/a/m"),
        Case("two dots beyond the root", "../../../m", at: "/a/sse", "/m"),
        Case("dots at the end", "..", at: "/a/b/sse", "/a/"),
        Case("dots that are escaped", "%2E%2e/m", at: "/a/b/sse", "/a/m"),
        Case("dots in an absolute path", "/a/./b/../m", "/a/m"),
        Case("dots in a query", "/m?x=/../y", "/m?x=/../y"),
        Case("query alone", "?sessionId=1", at: "/a/sse?x=1", "/a/sse?sessionId=1"),
        Case("nothing at all", "", at: "/a/sse?x=1", "/a/sse?x=1"),
        Case("fragment alone", "#f", at: "/a/sse?x=1", "/a/sse?x=1"),
        Case("absolute", "http://other.example/m?x#f", "/m?x"),
        Case("absolute without a path", "https://other.example", "/"),
        Case("absolute with a query and no path", "https://other.example?x=1", "/?x=1"),
        Case("absolute in capitals", "HTTPS://OTHER/M", "/M"),
        Case("absolute with user and IPv6", "http://u:p@[::1]:80/m", "/m"),
        Case("scheme-relative", "//other.example:80/m?x=1", "/m?x=1"),
        Case("scheme-relative by backslashes", "\\\\other\\m", "/m"),
        Case("surrounded by spaces", "  /m \t", "/m"),
        Case("with a tab inside", "/me\tss", "/mess"),
        Case("with bytes that clients escape", "/m é\"?a='b' c", "/m%20%C3%A9%22?a=%27b%27%20c"),
        Case("with escapes already", "/m%20x?y=%27%zz", "/m%20x?y=%27%zz"),
        Case("with a colon in the second segment", "a/b:c", "/a/b:c"),
        Case("against an absolute target", "m?x", at: "http://mcp.example/a/sse?y", "/a/m?x"),
        Case("another scheme", "ftp://h/m", nil),
        Case("a script", "javascript:alert(1)", nil),
        Case("a scheme without a host", "http:m", nil),
        Case("an empty host", "http:///m", nil),
        Case("an empty scheme-relative host", "///m", nil),
        Case("a path that would name a host", "http://h//evil.example/m", nil),
        Case("a path that would name a host after its dots", "/.//evil.example/m", nil),
        Case("a path that would name a host after its dots, from below", "..//evil.example/m", at: "/a/sse", nil),
        Case("a path that would name a host by a backslash", "http://h/\\evil.example/m", nil),
        Case("against a target that is no path", "m", at: "*", nil),
    ]

    /// RFC 3986 section 5.4, without the origin.
    static let normative: [(String, String?)] = [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("//g", "/"), ("?y", "/b/c/d;p?y"),
        ("g?y", "/b/c/g?y"), ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), (";x", "/b/c/;x"), ("g;x", "/b/c/g;x"),
        ("", "/b/c/d;p?q"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../", "/b/"), ("../g", "/b/g"),
        ("../..", "/"), ("../../", "/"), ("../../g", "/g"), ("../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"),
        ("g.", "/b/c/g."), (".g", "/b/c/.g"), ("g..", "/b/c/g.."), ("..g", "/b/c/..g"), ("./../g", "/b/g"),
        ("./g/.", "/b/c/g/"), ("g/./h", "/b/c/g/h"), ("g/../h", "/b/c/h"), ("g;x=1/../y", "/b/c/y"),
        ("g?y/../x", "/b/c/g?y/../x"), ("g:h", nil), ("http:g", nil),
    ]

    @Test("the endpoints of the SDKs' servers are resolved", arguments: servers)
    func announced(_ example: Case) {
        #expect(Self.resolve(example.data, at: example.target) == example.expected)
    }

    @Test("every form of reference is resolved", arguments: forms)
    func form(_ example: Case) {
        #expect(Self.resolve(example.data, at: example.target) == example.expected)
    }

    @Test("the examples of RFC 3986 section 5.4 are resolved", arguments: normative)
    func example(_ reference: String, _ expected: String?) {
        #expect(Self.resolve(reference, at: "/b/c/d;p?q") == expected)
    }

    @Test("the result is always a path and resolves to itself", arguments: 0..<40 as Range<UInt64>)
    func randomReferences(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var resolved = 0
        for _ in 0..<200 {
            let data = text(generator.bytes(.random(in: 0...16, using: &generator), from: "ah/.:?#\\%2e &\t"))
            let target = "/" + text(generator.bytes(.random(in: 0...8, using: &generator), from: "ab/.?"))
            guard let result = Self.resolve(data, at: target) else { continue }
            resolved += 1
            #expect(result.hasPrefix("/") && !result.hasPrefix("//"), "\(data) at \(target)")
            #expect(result.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") })
            #expect(Self.resolve(result, at: "/elsewhere") == result, "\(data) at \(target)")
        }
        #expect(resolved > 50)
    }
}
