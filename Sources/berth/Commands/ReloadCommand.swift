import ASCII
import ArgumentParser
import FoundationEssentials

/// `berth reload`
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have a running Berth read its configuration file again.",
        discussion: """
            Says what has changed when it is in force. Exits with 0 if it is, with 2 if the file has errors, and with 1 if
            Berth cannot be reached or does not take the file: then nothing has changed. Needs admin in [global]:
            the Unix socket, or an address with admin_token; SIGHUP does the same without it.
            """)

    @OptionGroup var berth: RunningBerth

    func run() throws {
        try berth.withClient { client in
            let response = try client.ask("POST", "/reload")
            try ChangeReport(response).show()
        }
    }
}

/// What a change at the admin address came to.
struct ChangeReport: Decodable {
    private var outcome: String
    private var changes: [String]
    private var deferred: [String]
    private var error: String?
    private var hash: String

    init(_ response: AdminClient.Response) throws {
        guard [200, 422].contains(response.status),
            let report = try? JSONDecoder().decode(ChangeReport.self, from: Data(response.body.utf8))
        else {
            throw AdminClient.Failure(description: response.body.trimmed)
        }
        self = report
    }

    /// Prints it; throws if nothing has changed because something is wrong.
    func show() throws {
        switch outcome {
        case "applied":
            print("applied, configuration \(hash)")
            for line in changes { print("  \(line)") }
            for line in deferred { print("  later: \(line)") }
        case "unchanged":
            print("unchanged, configuration \(hash)")
        default:
            throw AdminClient.Failure(description: "rejected, nothing has changed\n\(error ?? "")")
        }
    }
}
