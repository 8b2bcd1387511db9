/// Why a checked configuration cannot be run here and now: a name that does not resolve, a port that is taken, a
/// certificate that does not load.
package struct StartError: Error, CustomStringConvertible, Sendable {
    /// One sentence for the operator, without a full stop: what cannot be done, with the name, address or file.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
