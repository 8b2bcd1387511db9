import Testing

@testable import berth

@Suite("Command line of berth")
struct CommandTests {
    @Test(
        "An unknown subcommand is named, with the nearest known one",
        arguments: [
            (["chek", "x"], "unknown command \"chek\"; did you mean \"check\"?"),
            (["rnu", "berth.toml"], "unknown command \"rnu\"; did you mean \"run\"?"),
            (["help", "chek"], "unknown command \"chek\"; did you mean \"check\"?"),
            (
                ["start"],
                "unknown command \"start\"; the commands are run, check, reload, drain, status, upgrade, demo, version, help"
            ),
            (["berth.toml"], "\"berth.toml\" is no command; did you mean \"berth run berth.toml\"?"),
            (["-c", "a.toml"], "the configuration file needs no option; did you mean \"berth run a.toml\"?"),
            (["--config", "a.toml"], "the configuration file needs no option; did you mean \"berth run a.toml\"?"),
        ])
    func unknownSubcommand(arguments: [String], message: String) {
        #expect(Berth.unknownSubcommand(in: arguments) == message)
    }

    @Test(
        "Options and known subcommands are left to the parser",
        arguments: [
            [], ["--help"], ["-h"], ["--version"], ["check", "chek"], ["run"], ["demo"], ["version"], ["help"],
            ["help", "check"], ["help", "--help"],
        ])
    func knownSubcommand(arguments: [String]) {
        #expect(Berth.unknownSubcommand(in: arguments) == nil)
    }

    @Test(
        "The demo refuses numbers that it could not take",
        arguments: [
            (0, nil, "--sessions must be 1 to 1000"), (1_001, 5, "--sessions must be 1 to 1000"),
            (12, 0, "--seconds must be above 0"), (12, -3, "--seconds must be above 0"), (1, nil, nil), (1_000, 1, nil),
        ] as [(Int, Int?, String?)])
    func demoNumbers(sessions: Int, seconds: Int?, problem: String?) {
        #expect(DemoCommand.problem(sessions: sessions, seconds: seconds) == problem)
    }

    @Test(
        "A count has its noun in the right form",
        arguments: [(0, "0 servers"), (1, "1 server"), (2, "2 servers")])
    func counts(number: Int, text: String) {
        #expect(CheckCommand.count(number, "server") == text)
    }
}
