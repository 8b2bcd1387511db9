/// Why a run cannot begin.
package struct LoadError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The reason, as the command prints it.
    package let description: String

    package init(_ description: String) { self.description = description }
}
