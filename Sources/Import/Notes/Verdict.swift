/// What has become of a line of the source. The order is that of gravity: of several verdicts the gravest stands.
package enum Verdict: Int, Sendable, Comparable, CaseIterable {
    /// Berth does this without being told, or it has no meaning for Berth.
    case byDefault
    /// A key says the same.
    case kept
    /// It would hurt sessions or event streams, and has become what was meant.
    case repaired
    /// Berth has nothing for it.
    case leftOut

    /// The word in comments.
    var word: String {
        switch self {
        case .byDefault: "default"
        case .kept: "kept"
        case .repaired: "REPAIRED"
        case .leftOut: "LEFT OUT"
        }
    }

    package static func < (a: Verdict, b: Verdict) -> Bool { a.rawValue < b.rawValue }
}
