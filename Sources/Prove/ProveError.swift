/// Why a trial could not begin, or go on.
package struct ProveError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The reason, as the command prints it.
    package let description: String

    package init(_ description: String) { self.description = description }
}
