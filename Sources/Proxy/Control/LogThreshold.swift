package import Logging
import Synchronization

/// From which level on the log is written; it can be changed while the process runs. Safe to use from any thread.
package final class LogThreshold: Sendable {
    private let position: Atomic<Int>

    package init(_ level: Logger.Level = .info) { position = Atomic(Self.position(of: level)) }

    /// The lowest level that is written.
    package var level: Logger.Level {
        get { Logger.Level.allCases[position.load(ordering: .relaxed)] }
        set { position.store(Self.position(of: newValue), ordering: .relaxed) }
    }

    /// The name of that level.
    package var name: String { level.rawValue }

    /// Sets the level with this name. False if there is none.
    package func set(_ name: String) -> Bool {
        guard let level = Logger.Level(rawValue: name) else { return false }
        self.level = level
        return true
    }

    /// The names of the levels, from the one that says most.
    package static var names: [String] { Logger.Level.allCases.map(\.rawValue) }

    private static func position(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 2 }
}
