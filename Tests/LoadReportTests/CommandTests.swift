import Foundation
import Testing

@testable import berth_load

@Suite("Command line of berth-load")
struct CommandTests {
    @Test(
        "An unknown subcommand is named, with the nearest known one",
        arguments: [
            (["scenari", "x.toml"], "unknown command \"scenari\"; did you mean \"scenario\"?"),
            (["start"], "unknown command \"start\"; the commands are run, scenario, report, serve, help"),
            (["help", "repot"], "unknown command \"repot\"; did you mean \"report\"?"),
            (["x.toml"], "\"x.toml\" is no command; did you mean \"berth-load scenario x.toml\"?"),
            (["a.json"], "\"a.json\" is no command; did you mean \"berth-load report a.json\"?"),
            (["http://a/mcp"], "\"http://a/mcp\" is no command; did you mean \"berth-load --url http://a/mcp\"?"),
        ])
    func unknownSubcommand(arguments: [String], message: String) {
        #expect(BerthLoad.unknownSubcommand(in: arguments) == message)
    }

    @Test("A reader of the output that has gone, as head does, ends no command")
    func closedOutput() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_IGN)
            var ends: [CInt] = [0, 0]
            pipe(&ends)
            dup2(ends[1], STDOUT_FILENO)
            close(ends[0])
            ReportFiles.printTable([SampleRuns.good()])
        }
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
