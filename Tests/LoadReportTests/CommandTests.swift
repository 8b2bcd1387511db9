import Testing

@testable import berth_load

@Suite("Command line of berth-load")
struct CommandTests {
    @Test(
        "An unknown subcommand is named, with the nearest known one",
        arguments: [
            (["scenari", "x.toml"], "unknown command \"scenari\"; did you mean \"scenario\"?"),
            (["x.toml"], "unknown command \"x.toml\"; the commands are run, scenario, report, serve, help"),
        ])
    func unknownSubcommand(arguments: [String], message: String) {
        #expect(BerthLoad.unknownSubcommand(in: arguments) == message)
    }

    @Test(
        "Options and known subcommands are left to the parser",
        arguments: [
            [], ["--url", "http://a/mcp"], ["--help"], ["run"], ["scenario", "x"], ["report"], ["serve"], ["help"],
        ])
    func knownSubcommand(arguments: [String]) {
        #expect(BerthLoad.unknownSubcommand(in: arguments) == nil)
    }
}
