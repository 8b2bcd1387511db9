/// A piece of HTML or SVG. Only literals of this program become markup; every string put into one is escaped, so no name
/// or error that came from a server can be anything but text.
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

        /// A coordinate, to a tenth.
        mutating func appendInterpolation(_ number: Double) {
            let tenths = number.isFinite ? Int((min(max(number, -1e6), 1e6) * 10).rounded()) : 0
            text += tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
        }

        /// Text, wherever text or a quoted attribute may stand.
        mutating func appendInterpolation(_ string: String) {
            // Control characters are not allowed in XML at all, and marks of direction could make a report lie.
            for scalar in string.plain.unicodeScalars {
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
