/// The text form of a set of HTTP status codes: codes and ranges with commas between them, as in "200-299, 401".
enum StatusRangesText {
    /// Codes of final responses (RFC 9110 section 15).
    static let possible = 200...599

    /// The ranges of a text, in its order; nil if it is none.
    static func parse(_ text: String) -> [ClosedRange<Int>]? {
        var ranges: [ClosedRange<Int>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { code($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last else {
                return nil
            }
            ranges.append(first...last)
        }
        return ranges
    }

    private static func code(_ text: Substring) -> Int? {
        let digits = String(text).trimmingBlanks()
        guard digits.count == 3, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let code = Int(digits),
            possible.contains(code)
        else { return nil }
        return code
    }

    /// The text of ranges, from which `parse` gives the same.
    static func text(_ ranges: [ClosedRange<Int>]) -> String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }
}
