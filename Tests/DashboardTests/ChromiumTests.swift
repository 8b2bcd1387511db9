import TestSupport
import Testing

@Suite(
    "Dashboard in Chromium", .serialized, .fewAtATime,
    .enabled(if: Chromium.isReady, "no Chromium, or no Python to drive it"))
struct ChromiumTests {
    /// A check of `browser/checks.py`, and the seconds that it may take on a busy machine.
    struct Check: Sendable, CustomTestStringConvertible {
        let name: String
        let seconds: Int
        let testDescription: String

        static let all = [
            Check(name: "shows", seconds: 120, testDescription: "what is wrong is said, and a session has its journey"),
            Check(
                name: "changes", seconds: 120,
                testDescription: "a change asks for the token once, and for a confirmation"),
            Check(name: "fits", seconds: 300, testDescription: "nothing is wider than the screen, from 375 pixels on"),
            Check(name: "axe", seconds: 600, testDescription: "axe-core finds nothing, and the console has no error"),
            Check(name: "paints", seconds: 120, testDescription: "200 servers and 500 tools are painted in a second"),
            Check(name: "loses", seconds: 120, testDescription: "a connection that ends is said, and the page goes on"),
            Check(name: "real", seconds: 240, testDescription: "the dashboard of a running Berth works"),
            Check(
                name: "reads", seconds: 120,
                testDescription: "a page of another origin reads answers, errors and the session id, if cors lists it"),
            Check(name: "grows", seconds: 1_500, testDescription: "eight hours of events leave the page as it was"),
        ]
    }

    @Test("checks", arguments: Check.all)
    func passes(_ check: Check) throws {
        let (status, output) = try Chromium.shared.get().check(check.name, limit: check.seconds)

        #expect(status == 0, "\(output)")
    }
}
