import ArgumentParser

/// `berth purge`
struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge",
        abstract: "Take answers out of the caches of a running Berth.",
        discussion: """
            berth purge                                     all answers of all upstreams
            berth purge --upstream mcp --method tools/list
            berth purge --name 'get-*'                      tools and resources whose name fits, * stands for any text

            Answers that are under way when the order comes are not kept. Needs admin in [global]: the Unix socket, or an
            address with admin_token.
            """)

    @Option(help: "Only of this upstream.")
    var upstream = ""

    @Option(help: "Only answers to this method, such as tools/list or tools/call.")
    var method = ""

    @Option(help: "Only of tools or resources whose name or URI fits this pattern.")
    var name = ""

    @OptionGroup var berth: RunningBerth

    func run() throws {
        try berth.withClient { client in
            try client.change("purge", ["upstream": upstream, "method": method, "name": name])
        }
    }
}
