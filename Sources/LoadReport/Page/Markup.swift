/// A piece of HTML or SVG. Only literals of this program are markup. Interpolated strings are escaped, so that names
/// and errors that come from servers cannot inject elements.
struct Markup: ExpressibleByStringInterpolation, Equatable {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }

    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    static func joined(_ pieces: [Markup]) -> Markup { "\(pieces)" }

    static func + (left: Markup, right: Markup) -> Markup { "\(left)\(right)" }

    static func += (left: inout Markup, right: Markup) { left.text += right.text }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate(set) var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }

        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }

        mutating func appendInterpolation(_ pieces: [Markup]) {
            for piece in pieces { text += piece.text }
        }

        mutating func appendInterpolation(_ number: Int) { text += String(number) }

        /// A coordinate, rounded to a tenth.
        mutating func appendInterpolation(_ number: Double) {
            let tenths = number.isFinite ? Int((min(max(number, -1e6), 1e6) * 10).rounded()) : 0
            text += tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
        }

        /// Text or the value of a quoted attribute, escaped.
        mutating func appendInterpolation(_ string: String) {
            // XML allows no control characters; bidirectional marks could reorder the text of a report.
            for scalar in string.sanitized.unicodeScalars {
                switch scalar {
                case "&": text += "&amp;"
                case "<": text += "&lt;"
                case ">": text += "&gt;"
                case "\"": text += "&quot;"
                case "'": text += "&#39;"
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}
