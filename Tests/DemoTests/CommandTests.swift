import Testing

@testable import berth

@Suite("Command line of berth")
struct CommandTests {
    @Test(
        "An unknown subcommand is named, with the nearest known one",
        arguments: [
            (["chek", "x"], "unknown command \"chek\"; did you mean \"check\"?"),
            (["rnu", "berth.toml"], "unknown command \"rnu\"; did you mean \"run\"?"),
            (
                ["berth.toml"],
                "unknown command \"berth.toml\"; the commands are run, check, demo, version, help"
            ),
        ])
    func unknownSubcommand(arguments: [String], message: String) {
        #expect(Berth.unknownSubcommand(in: arguments) == message)
    }

    @Test(
        "Options and known subcommands are left to the parser",
        arguments: [
            [], ["--help"], ["-h"], ["--version"], ["check", "chek"], ["run"], ["demo"], ["version"], ["help"],
        ])
    func knownSubcommand(arguments: [String]) {
        #expect(Berth.unknownSubcommand(in: arguments) == nil)
    }

    @Test(
        "A count has its noun in the right form",
        arguments: [(0, "0 servers"), (1, "1 server"), (2, "2 servers")])
    func counts(number: Int, text: String) {
        #expect(CheckCommand.count(number, "server") == text)
    }
}
