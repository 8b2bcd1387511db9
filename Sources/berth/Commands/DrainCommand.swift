import ArgumentParser
import Configuration
import FoundationEssentials
import Glibc

/// `berth drain`
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Give a server no new sessions; those that it has stay.",
        discussion: """
            berth drain mcp/mcp-3:3001 --wait --timeout 5m

            names a server by its upstream and its address. The order holds until --undo or the end of the process; reloads do
            not change it. With --wait the command returns when the server has no session, no call and no stream left, as a
            preStop hook needs it: 0 then, 1 if that was not so within --timeout. Needs admin in
            [global]: the Unix socket, or an address with admin_token.
            """)

    @Argument(help: "The server, as upstream/host:port.")
    var server: String

    @Flag(help: "Return when the server holds no session and no call.")
    var wait = false

    @Option(help: "How long to wait, such as 90s or 5m.")
    var timeout = "5m"

    @Flag(help: "Give the server new sessions again.")
    var undo = false

    @OptionGroup var berth: RunningBerth

    func validate() throws {
        guard DurationText.parse(timeout) != nil else {
            throw ValidationError("--timeout \(timeout) is no duration; 90s and 5m are")
        }
        if wait, undo { throw ValidationError("--wait and --undo do not go together") }
    }

    func run() throws {
        try berth.withClient { client in
            let name = AdminClient.escaped(server)
            try ChangeReport(client.ask("POST", "/\(undo ? "undrain" : "drain")?server=\(name)")).show()
            if wait { try waitUntilEmpty(client) }
        }
    }

    private func waitUntilEmpty(_ client: AdminClient) throws {
        let end = ContinuousClock.now + (DurationText.parse(timeout) ?? .seconds(300))
        var shown = ""
        while true {
            guard let load = try StatusSummary(client).server(server) else {
                print("\(server) is gone")
                return
            }
            if load.isEmpty {
                print("\(server) is empty")
                return
            }
            guard ContinuousClock.now < end else {
                throw AdminClient.Failure(description: "\(server) still has \(load.text) after \(timeout)")
            }
            if load.text != shown { print("\(server) has \(load.text)") }
            shown = load.text
            usleep(200_000)
        }
    }
}
