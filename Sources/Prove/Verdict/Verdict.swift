import Load

/// Whether the promise was kept: no wrong answer, no lost session, no call executed twice, and no failed call but those
/// that were under way on a server that was killed or stopped.
package struct Verdict: Equatable, Sendable {
    /// Answers that failed a check.
    package let wrong: UInt64
    /// Sessions that were lost although they should have been kept.
    package let lost: UInt64
    /// Sessions that were lost with their server, where they are not to be recovered.
    package let lostWithServer: UInt64
    /// Calls of tools not declared read-only that were executed more than once.
    package let duplicates: UInt64
    /// Failed calls that were under way on a server that was killed or stopped, by cause.
    package let explained: [String: UInt64]
    /// All other failed calls, by cause.
    package let unexplained: [String: UInt64]

    /// Calls that the clients could not make in time, which says nothing about the balancer unless others failed too.
    package let notSent: UInt64

    /// How `Failure.text` names the two kinds that are no failed calls.
    static let lostSession = "session lost"
    static let notSent = "too many calls waiting"

    /// From the figures of a trial.
    package init(_ figures: ProveFigures) {
        let trial = figures.load.trial ?? TrialFigures()
        let failed = figures.load.failed
        let lostInAll = failed[Self.lostSession] ?? 0
        // Without recovery a session ends with its server, as it does behind any balancer. `clean` recovers none that has
        // called a tool.
        lostWithServer =
            ["never", "clean"].contains(figures.onLost) ? min(lostInAll, trial.explained[Self.lostSession] ?? 0) : 0
        lost = lostInAll - lostWithServer
        wrong = figures.load.wrongCount
        duplicates = figures.executions?.duplicates ?? 0
        notSent = failed[Self.notSent] ?? 0
        explained = trial.explained.filter { Self.isCall($0.key) }
        unexplained = trial.unexplained(failed).filter { Self.isCall($0.key) }
    }

    /// Whether a failure by this name is one of a call that was made.
    static func isCall(_ failure: String) -> Bool { failure != lostSession && failure != notSent }

    /// Failed calls that nothing explains.
    package var unexplainedCount: UInt64 { unexplained.values.reduce(0, +) }

    /// Whether it holds.
    package var holds: Bool { wrong == 0 && lost == 0 && duplicates == 0 && unexplainedCount == 0 }

    /// In a sentence without a period.
    package var sentence: String {
        guard !holds else { return "The promise holds" }
        let broken = [
            count(wrong, "wrong answer"), count(lost, "lost session"),
            count(duplicates, "call executed twice", "calls executed twice"),
            count(unexplainedCount, "call failed without cause", "calls failed without cause"),
        ].compactMap { $0 }
        return "The promise is broken: " + broken.joined(separator: ", ")
    }

    private func count(_ number: UInt64, _ noun: String, _ plural: String? = nil) -> String? {
        number == 0 ? nil : "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
    }
}
