import Prove
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
                "unknown command \"start\"; the commands are run, check, reload, status, top, server, drain, sessions, forget, purge, whose, explain, logs, log-level, upgrade, demo, prove, import, schema, version, help"
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
            [], ["--help"], ["-h"], ["--version"], ["check", "chek"], ["run"], ["demo"], ["prove"],
            ["launch", "9", "/bin/true"],
            ["replica"], ["version"], ["help"],
            ["help", "check"], ["help", "--help"],
        ])
    func knownSubcommand(arguments: [String]) {
        #expect(Berth.unknownSubcommand(in: arguments) == nil)
    }

    @Test(
        "The demo refuses numbers that it could not take",
        arguments: [
            (0, 50, "--sessions must be 4 to 1000"), (1_001, 5, "--sessions must be 4 to 1000"),
            (12, 0, "--seconds must be 1 to 86400"), (12, -3, "--seconds must be 1 to 86400"), (4, 1, nil),
            (1_000, 86_400, nil),
        ] as [(Int, Int, String?)])
    func demoNumbers(sessions: Int, seconds: Int, problem: String?) {
        #expect(DemoCommand.problem(sessions: sessions, seconds: seconds) == problem)
    }

    @Test(
        "A duration is a number with or without a unit",
        arguments: [("90s", 90.0), ("5m", 300), ("1h", 3_600), ("12", 12), ("1.5m", 90)])
    func durations(text: String, seconds: Double) throws {
        #expect(try ProveCommand.seconds(text) == seconds)
    }

    @Test("What is no duration is refused", arguments: ["", "s", "0s", "-1s", "5d", "2h30m", "300h", "nan"])
    func badDurations(text: String) {
        #expect(throws: (any Error).self) { try ProveCommand.seconds(text) }
    }

    @Test(
        "A trial is refused with options that make none",
        arguments: [
            ["--servers", "0"], ["--on-lost", "often"], ["--against", "apache"], ["--against", "none.conf"],
            ["--server", "x"], ["--only", "kills,floods"], ["--rate", "-1"], ["--duration", "soon"],
            ["--sessions", "1"],
        ])
    func badTrials(arguments: [String]) throws {
        #expect(throws: (any Error).self) { try ProveCommand.plan(arguments) }
    }

    @Test("A trial takes what its options say")
    func trial() throws {
        let plan = try ProveCommand.plan([
            "--calls", "1000", "--seed", "7", "--on-lost", "clean", "--only", "kills, key rotations", "--rate", "0",
        ])
        #expect(plan.calls == 1_000 && plan.seed == 7 && plan.onLost == .clean && plan.rate == nil)
        #expect(plan.only == [.kill, .rotateKey])
        #expect(plan.seconds > 3_600)
        #expect(try ProveCommand.plan([]).seconds == 60)
    }

    @Test(
        "A count has its noun in the right form",
        arguments: [(0, "0 servers"), (1, "1 server"), (2, "2 servers")])
    func counts(number: Int, text: String) {
        #expect(CheckCommand.count(number, "server") == text)
    }
}
