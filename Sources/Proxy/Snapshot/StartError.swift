/// Why a checked configuration cannot be run here and now: a name that does not resolve, a port that is taken, a
/// certificate that does not load.
package struct StartError: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
