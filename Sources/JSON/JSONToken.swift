/// One token of a JSON text, or the part of it that stands in one piece.
package struct JSONToken: Equatable, Sendable {
    /// What tokens there are. Commas and colons are none: the scanner checks them and passes on.
    package enum Kind: UInt8, Sendable {
        case objectStart, objectEnd, arrayStart, arrayEnd
        /// The name of a member.
        case name
        case string, number, `true`, `false`, null
    }

    /// What the token is.
    package var kind: Kind
    /// Where the token stands in the piece. Of a name or a string, what stands between its quotes, escapes as written.
    package var range: Range<Int>
    /// Whether the token ends here. If not, it goes on in the next piece, whose first token has the same kind. Its
    /// range there may be empty, for a token may end between two pieces.
    package var isComplete: Bool

    package init(_ kind: Kind, _ range: Range<Int>, isComplete: Bool = true) {
        self.kind = kind
        self.range = range
        self.isComplete = isComplete
    }
}
