import ASCII
import Testing

@Suite("Texts without the space around them")
struct TrimmedTextTests {
    @Test(
        "space is taken away outside only",
        arguments: [
            ("", ""), (" \t\r\n", ""), ("a", "a"), ("  a b\n", "a b"), ("\u{A0}a", "\u{A0}a"), ("é\n", "é"),
            ("\u{B}a\u{C}", "a"),
        ])
    func trimmed(text: String, expected: String) {
        #expect(text.trimmed == expected)
        #expect(text[...].trimmed == expected)
    }
}
