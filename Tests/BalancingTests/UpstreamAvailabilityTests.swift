import Balancing
import TestSupport
import Testing

@Suite("Availability of an upstream")
struct UpstreamAvailabilityTests {
    /// One letter a server: h healthy, u unhealthy, e ejected, d draining; capital ones are backups.
    private func conditions(_ text: String) -> [(condition: ServerCondition, isBackup: Bool)] {
        text.map { letter in
            let kind = letter.lowercased()
            return (
                ServerCondition(isHealthy: kind != "u", isDraining: kind == "d", isEjected: kind == "e"),
                letter.isUppercase
            )
        }
    }

    private func eligible(_ text: String, panic threshold: Int) -> String {
        let servers = conditions(text)
        var availability = UpstreamAvailability()
        for server in servers { availability.note(server.condition, isBackup: server.isBackup) }
        let mode = availability.mode(panicThreshold: threshold)
        return zip(text, servers).filter { $0.1.condition.isEligible(mode) }.map { String($0.0) }.joined()
    }

    @Test(
        "without a threshold: those that are well; ejected ones rather than none",
        arguments: [
            ("", ""), ("hhh", "hhh"), ("huh", "hh"), ("heh", "hh"), ("hdu", "h"), ("uuu", ""), ("eue", "ee"),
            ("eud", "e"), ("euH", "H"), ("ddd", ""), ("dE", "E"),
        ])
    func regular(_ servers: String, _ expected: String) {
        #expect(eligible(servers, panic: 0) == expected)
    }

    @Test(
        "below the threshold: all but those that drain, and what is ejected counts as lost",
        arguments: [
            ("hhhh", 50, "hhhh"), ("hhuu", 50, "hh"), ("huuu", 50, "huuu"), ("heuu", 50, "heuu"), ("hheu", 50, "hh"),
            ("uuu", 50, "uuu"), ("uuu", 1, "uuu"), ("eee", 1, "eee"), ("hud", 50, "h"), ("uud", 50, "uu"),
            ("uuH", 50, "H"), ("uuuH", 50, "uuuH"), ("uuuU", 50, "uuuU"), ("huh", 100, "huh"), ("ddd", 50, ""),
            ("dU", 50, ""),
        ])
    func panic(_ servers: String, _ threshold: Int, _ expected: String) {
        #expect(eligible(servers, panic: threshold) == expected)
    }

    @Test("the more is lost, the more is eligible or nothing changes for the worse: never none while one could work")
    func neverNone() {
        for seed in 0..<500 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let count = Int.random(in: 1...6, using: &generator)
            let servers = String((0..<count).map { _ in "hhuedHUED".randomElement(using: &generator) ?? "h" })
            let threshold = [0, 34, 50, 100].randomElement(using: &generator) ?? 0
            let couldWork = servers.contains { "heHE".contains($0) }
            #expect(!couldWork || !eligible(servers, panic: threshold).isEmpty, "\(servers) \(threshold)")
            #expect(!eligible(servers, panic: threshold).contains { "dD".contains($0) }, "\(servers) \(threshold)")
        }
    }
}
