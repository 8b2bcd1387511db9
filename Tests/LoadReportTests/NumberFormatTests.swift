import Testing

@testable import LoadReport

@Suite("Number format")
struct NumberFormatTests {
    @Test(
        "A duration has three digits and a suitable unit",
        arguments: [
            (0, "0.0 µs"), (0.4, "0.4 µs"), (9.96, "10.0 µs"), (10, "10 µs"), (312.4, "312 µs"),
            (999.4, "999 µs"), (999.5, "1.00 ms"), (1_214, "1.21 ms"), (9_994, "9.99 ms"), (9_996, "10.0 ms"),
            (99_949, "99.9 ms"), (99_951, "100 ms"), (999_499, "999 ms"), (999_500, "1.00 s"), (61_000_000, "61.0 s"),
        ] as [(Double, String)])
    func durations(microseconds: Double, text: String) {
        #expect(NumberFormat.duration(microseconds: microseconds) == text)
    }

    @Test(
        "Counts are grouped by thousands",
        arguments: [
            (0, "0"), (999, "999"), (1_000, "1,000"), (1_204_113, "1,204,113"), (.max, "18,446,744,073,709,551,615"),
        ]
            as [(UInt64, String)])
    func counts(count: UInt64, text: String) {
        #expect(NumberFormat.count(count) == text)
    }

    @Test(
        "Numbers are rounded to the given decimals",
        arguments: [
            (1.005, 1, "1.0"), (1.95, 1, "2.0"), (0.0004, 3, "0.000"), (1_234.5678, 3, "1,234.568"), (-1.25, 1, "-1.3"),
            (-0.001, 1, "0.0"), (2.5, 0, "3"),
        ] as [(Double, Int, String)])
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(NumberFormat.fixed(value, decimals) == text)
    }

    @Test(
        "Byte units are powers of 1000",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (12_345_678, "12.3 MB"), (9.99e14, "999 TB"),
            (1e15, "1.00 PB"),
        ]
            as [(Double, String)])
    func bytes(value: Double, text: String) {
        #expect(NumberFormat.bytes(value) == text)
    }

    @Test(
        "A time span shows hours only if there are any",
        arguments: [(0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3_723, "1:02:03"), (-1, "0:00")] as [(Double, String)])
    func clocks(seconds: Double, text: String) {
        #expect(NumberFormat.clock(seconds: seconds) == text)
    }

    @Test("Every number has a text", arguments: [.nan, .infinity, -.infinity, 1e300, -1e300, 1e-300])
    func oddNumbers(value: Double) {
        let texts = [
            NumberFormat.rate(value), NumberFormat.duration(microseconds: value),
            NumberFormat.milliseconds(microseconds: value),
            NumberFormat.bytes(value), NumberFormat.percent(value), NumberFormat.clock(seconds: value),
            NumberFormat.fixed(value, 6),
        ]

        #expect(texts.allSatisfy { !$0.isEmpty && $0.count < 40 })
    }

    @Test("Control characters and bidirectional marks are replaced")
    func plainText() {
        #expect("\u{1b}[2Jred\u{7}\u{9b}31m\u{202e}abc\r\n".sanitized == "·[2Jred··31m·abc··")
        #expect("naïve ünïcode, 日本, 🚢".sanitized == "naïve ünïcode, 日本, 🚢")
    }

    @Test(
        "A text that is cut ends with an ellipsis", arguments: [(5, "abcde"), (4, "abc…"), (1, "…"), (0, ""), (-3, "")])
    func cuts(width: Int, text: String) {
        #expect("abcde".cut(to: width) == text)
    }

    @Test(
        "A text is wrapped between words, and within words that are too long",
        arguments: [
            ("", 10, [""]), ("one two three", 7, ["one two", "three"]),
            ("one two three", 3, ["one", "two", "thr", "ee"]),
            ("a bcdefgh", 4, ["a", "bcde", "fgh"]), ("ab", 0, ["a", "b"]),
        ] as [(String, Int, [String])])
    func wraps(text: String, width: Int, lines: [String]) {
        #expect(text.wrapped(to: width) == lines)
    }
}
