import ArgumentParser

/// `berth server …`: orders about one server.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "List the servers of a running Berth, and give orders about one.",
        discussion: """
            A server is named by its upstream and its address, mcp/mcp-3:3001. Orders hold until they are taken back or the
            process ends, over reloads and upgrades; an ejection ends by itself.

            berth server drain mcp/mcp-3:3001         it keeps its sessions and gets no new ones
            berth server disable mcp/mcp-3:3001       it gets no work; its sessions go to others if they can
            berth server weight mcp/mcp-3:3001 20     its share of new work, 1 to 1000, or "default"
            berth server eject mcp/mcp-3:3001 --for 5m

            Needs admin in [global]: the Unix socket, or an address with admin_token.
            """,
        subcommands: [
            List.self, Drain.self, Undrain.self, Disable.self, Enable.self, Weight.self, Eject.self, Uneject.self,
        ],
        defaultSubcommand: List.self)

    /// What all of them are given.
    struct Target: ParsableArguments {
        @Argument(help: "The server, as upstream/host:port.")
        var server: String

        @OptionGroup var berth: RunningBerth

        func order(_ action: String, _ name: String = "", _ value: String? = nil) throws {
            try berth.withClient { client in try client.change(action, ["server": server, name: value]) }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the servers with state, weight and work.")
        @OptionGroup var berth: RunningBerth
        func run() throws {
            try berth.withClient { client in print(try StatusSummary(client).table, terminator: "") }
        }
    }

    struct Drain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Give a server no new sessions; those that it has stay.",
            discussion: "\"berth drain --wait\" also waits until it has none.")
        @OptionGroup var target: Target
        func run() throws { try target.order("drain") }
    }

    struct Undrain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undrain", abstract: "Give a server new sessions again.")
        @OptionGroup var target: Target
        func run() throws { try target.order("undrain") }
    }

    struct Disable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Give a server no work at all.",
            discussion: """
                Calls in progress finish. Requests of its sessions are treated as if it were gone: session.on_lost says whether
                they are opened anew on another server.
                """)
        @OptionGroup var target: Target
        func run() throws { try target.order("disable") }
    }

    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Give a disabled server work again.")
        @OptionGroup var target: Target
        func run() throws { try target.order("enable") }
    }

    struct Weight: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "weight", abstract: "Give a server another share of new work.")
        @Argument(help: "The server, as upstream/host:port.")
        var server: String
        @Argument(help: "1 to 1000, in relation to the others; \"default\": that of the configuration.")
        var weight: String
        @OptionGroup var berth: RunningBerth
        func run() throws {
            try berth.withClient { client in try client.change("weight", ["server": server, "weight": weight]) }
        }
    }

    struct Eject: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "eject", abstract: "Give a server no new work for a while.")
        @Option(name: .customLong("for"), help: "How long, such as 30s or 5m.")
        var time = "30s"
        @OptionGroup var target: Target
        func run() throws { try target.order("eject", "for", time) }
    }

    struct Uneject: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "uneject", abstract: "End an ejection before its time.")
        @OptionGroup var target: Target
        func run() throws { try target.order("uneject") }
    }
}
