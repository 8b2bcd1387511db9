/// Says what happens in a demo: what is done, what that shows, and what came of it on both sides.
struct DemoNarrator {
    private let meanings: [Disturbance: String]
    private var before: [FrontCounts] = []
    private var isTelling = false

    init(_ scenes: [DemoScript.Scene]) {
        meanings = Dictionary(scenes.map { ($0.step.disturbance, $0.meaning) }) { first, _ in first }
    }

    /// The lines for an event.
    mutating func lines(for event: Trial.Event, _ status: () -> TrialStatus) -> [String] {
        guard let disturbance = event.disturbance, let meaning = meanings[disturbance], !meaning.isEmpty else {
            return [event.text]
        }
        // What came of the last scene is known when the next one begins.
        return outcome(status()) + ["\(event.text): \(meaning)"]
    }

    /// What has come of the last scene, in a line; empty before the first.
    mutating func outcome(_ status: TrialStatus) -> [String] {
        let now = status.fronts.map { FrontCounts($0.figures) }
        defer { (before, isTelling) = (now, true) }
        guard isTelling, before.count == now.count else { return [] }
        let parts = zip(zip(before, now), status.fronts).map { counts, front in
            "\(front.name): \(Self.difference(counts.0, counts.1))"
        }
        return ["  " + parts.joined(separator: "; ")]
    }

    private static func difference(_ before: FrontCounts, _ now: FrontCounts) -> String {
        func part(_ number: UInt64, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : "\(number) \(number == 1 ? one : many)"
        }
        let parts = [
            part(now.recovered - before.recovered, "session recovered", "sessions recovered"),
            part(now.wrong - before.wrong, "wrong answer", "wrong answers"),
            part(now.lost - before.lost, "session lost", "sessions lost"),
            part(now.failed - before.failed, "call failed", "calls failed"),
            part(now.explained - before.explained, "call failed with its server", "calls failed with their server"),
        ].compactMap { $0 }
        return parts.isEmpty ? "nothing noticed" : parts.joined(separator: ", ")
    }
}
