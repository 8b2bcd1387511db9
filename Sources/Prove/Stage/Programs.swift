import Kernel

/// Starts the programs of a trial. All end with the thread that starts them.
package struct Programs: Sendable {
    /// The path of the executable `berth`.
    package let berth: String

    package init(berth: String) { self.berth = berth }

    /// Starts a program by way of `berth launch`, which has it end with this thread. `output`: a file that what it prints is
    /// appended to. Throws if it cannot be started.
    package func start(
        _ words: [String], endsBy signal: CInt, environment: [String: String] = [:], output: String
    ) throws(ProveError) -> Program {
        do {
            return try Program(
                berth, ["launch", "\(signal)"] + words, environment: environment, output: output)
        } catch {
            throw ProveError("cannot start \(words.first ?? ""): \(error)")
        }
    }
}
