import Testing

@testable import Configuration

@Suite("Values")
struct ValueTests {
    @Test(
        "Durations are parsed",
        arguments: [
            ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000), ("7d", 604_800_000), ("0s", 0),
            ("1m30s", 90_000), ("1h1ms", 3_600_001), ("007s", 7_000),
        ])
    func durations(_ text: String, _ milliseconds: Int) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(
        "Other texts are not durations",
        arguments: [
            "", "30", "s", "30 s", " 30s", "30S", "-1s", "+1s", "1.5s", "1s1m", "1s1s", "30sec", "1w", "off", "٣s",
            "99999999999999999999s", "9223372036854775807d", "106751991167d1000000h",
        ])
    func notDurations(_ text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(
        "Durations are written in the largest unit without a fraction",
        arguments: [
            (0, "0s"), (1, "1ms"), (1_500, "1500ms"), (60_000, "1m"), (90_000, "90s"), (86_400_000, "24h"),
            (604_800_000, "7d"), (608_400_000, "169h"),
        ])
    func durationText(_ milliseconds: Int, _ text: String) {
        #expect(DurationText.text(.milliseconds(milliseconds)) == text)
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(
        "Sizes are parsed",
        arguments: [("0B", 0), ("512B", 512), ("64KiB", 65_536), ("8MiB", 8 << 20), ("1TiB", 1 << 40)])
    func sizes(_ text: String, _ bytes: Int) {
        #expect(ByteSizeText.parse(text) == bytes)
        #expect(ByteSizeText.text(bytes) == text)
    }

    @Test(
        "Other texts are not sizes, and most have a correction",
        arguments: [
            ("64k", "64KiB"), ("8M", "8MiB"), ("8MB", "8MiB"), ("8 MiB", "8MiB"), ("8mib", "8MiB"), ("5b", "5B"),
            ("8", nil), ("8 megs", nil), ("MiB", nil), ("-1B", nil), ("", nil), ("99999999999TiB", "99999999999TiB"),
        ] as [(String, String?)])
    func notSizes(_ text: String, _ correction: String?) {
        #expect(ByteSizeText.parse(text) == nil)
        #expect(ByteSizeText.correction(of: text) == correction)
    }

    @Test(
        "IP addresses are read and written in one way",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("FD00:0:0::7", "fd00::7"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ])
    func addresses(_ text: String, _ canonical: String) {
        #expect(IPAddressText(text)?.text == canonical)
    }

    @Test("Names are not IP addresses", arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "[::1]", "::g"])
    func notAddresses(_ text: String) {
        #expect(IPAddressText(text) == nil)
    }

    @Test(
        "A range contains the addresses with its prefix",
        arguments: [
            ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.6", false),
            ("fd00::/8", "fd12:3456::1", true), ("fd00::/8", "fe80::1", false), ("::/0", "fe80::1", true),
            ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::1", "2001:db8::2", false),
        ])
    func ranges(_ range: String, _ address: String, _ isInside: Bool) throws {
        let configuration = try decode(
            "[listen]\nhttp = \":80\"\ntrusted_proxies = [\"\(range)\"]\n[upstream.a]\nservers = [\"a:1\"]")
        let parsed = try #require(configuration.listeners[0].trustedProxies.first)
        let asked = try #require(IPAddressText(address))

        #expect(parsed.contains(high: asked.high, low: asked.low) == isInside)
        #expect(parsed.description == range)
    }

    @Test(
        "Base64 is decoded", arguments: [("", ""), ("Zg==", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")])
    func base64(_ text: String, _ decoded: String) {
        #expect(Base64Text.decode(text) == Array(decoded.utf8))
    }

    @Test("Other texts are not base64", arguments: ["Z", "Zg==Zg", "Z g=", "Zm9-", "é"])
    func notBase64(_ text: String) {
        #expect(Base64Text.decode(text) == nil)
    }

    @Test(
        "The nearest word is suggested, if one is near",
        arguments: [
            ("servres", "servers"), ("Servers", "servers"), ("healthcheck", "health_check"), ("quueue", "queue"),
            ("qeuue", "queue"), ("zzz", nil), ("", nil), ("pol", "pool"),
        ] as [(String, String?)])
    func suggestions(_ word: String, _ expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["servers", "health_check", "queue", "pool"]) == expected)
    }
}
