import HTTP
import Testing

/// Origins as browsers send them (RFC 6454).
@Suite("Origins")
struct WebOriginTests {
    private static func origin(_ text: String) -> WebOrigin? { WebOrigin(text.utf8.span) }

    private static func matches(_ configured: String, _ value: String) throws -> Bool {
        let origin = try #require(Self.origin(configured), "\(configured)")
        return origin.matches(value.utf8.span)
    }

    @Test(
        "the same origin, however it is written",
        arguments: [
            ("https://app.test", "https://app.test"), ("https://app.test", "HTTPS://App.TEST"),
            ("https://app.test", "https://app.test:443"), ("https://app.test:443", "https://app.test"),
            ("http://app.test:80", "http://app.test"), ("https://app.test:8443", "https://app.test:8443"),
            ("https://app.test:8443", "https://app.test:08443"), ("https://[::1]:3000", "https://[0:0::1]:3000"),
            ("http://[2001:DB8::1]", "http://[2001:db8:0::1]:80"), ("http://127.0.0.1:6274", "http://127.0.0.1:6274"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
            ("vscode-webview://0k1", "vscode-webview://0k1"), ("null", "null"),
        ])
    func same(configured: String, value: String) throws {
        #expect(try Self.matches(configured, value))
    }

    @Test(
        "another origin",
        arguments: [
            ("https://app.test", "http://app.test"), ("https://app.test", "https://app.test:8443"),
            ("https://app.test", "https://app.test:80"), ("https://app.test", "https://app.test."),
            ("https://app.test", "https://app.test.evil.test"), ("https://app.test", "https://evilapp.test"),
            ("https://app.test", "https://sub.app.test"), ("https://app.test", "null"), ("null", "NULL"),
            ("null", "https://null"), ("https://app.test", "https://app.test, https://app.test"),
            ("https://app.test", "https://evil.test https://app.test"), ("https://app.test", "https://app.test/"),
            ("https://app.test", "https://app.test?"), ("https://app.test", "https://app.test:"),
            ("https://app.test", "https://app.test:443443"), ("https://app.test:1", "https://app.test:65537"),
            ("https://app.test", "https://user@app.test"), ("https://app.test", "https:app.test"),
            ("https://app.test", "https//app.test"), ("https://app.test", "app.test"), ("https://app.test", ""),
            ("https://app.test", "://app.test"), ("https://app.test", "1https://app.test"),
            ("https://[::1]", "https://[::2]"), ("https://[::1]", "https://::1"), ("https://[::1]", "https://[::1"),
            ("https://app.test", "https://ÄPP.test"), ("https://k.test", "https://\u{212A}.test"),
        ])
    func other(configured: String, value: String) throws {
        #expect(try !Self.matches(configured, value))
    }

    @Test("the serialisation is in lower case and without the default port")
    func serialisation() throws {
        for (text, expected) in [
            ("HTTPS://App.test:443", "https://app.test"), ("http://A.test:8080", "http://a.test:8080"),
            ("https://[::A]:443", "https://[::a]"), ("null", "null"),
        ] {
            let origin = try #require(Self.origin(text))
            #expect(String(decoding: origin.text, as: UTF8.self) == expected)
        }
        for text in ["", "https://", "https://a/b", "a", "https://a b", "*"] {
            #expect(Self.origin(text) == nil, "\(text)")
        }
    }
}
