/// What the value of a key may be; a key may have several shapes, such as a duration or "off".
package enum KeyShape: Hashable, Sendable {
    /// Text, whose form only the decoder knows.
    case text
    /// One of these texts.
    case choice([String])
    /// A whole number in this range.
    case integer(ClosedRange<Int>)
    /// A share of one.
    case share
    /// true or false.
    case flag
    /// A text such as "250ms" or "1h30m".
    case duration
    /// A number of bytes, or a text such as "8MiB".
    case size
    /// The text "off".
    case off
    /// A table with keys of its own.
    case table
    /// A table of texts, under names that the operator chooses.
    case texts
    /// A list of texts, or of inline tables.
    case list
    /// A list of tables, `[[key]]`.
    case tables
}

extension TableReader {
    /// Records what a key may be; what it is for is the schema that editors use.
    func note(_ key: String, _ shapes: KeyShape...) {
        findings.recordShapes(shapes, of: path.key(key).pattern)
    }
}
