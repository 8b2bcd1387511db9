import ASCII
import ArgumentParser
import Configuration
import FoundationEssentials
import Kernel
import Proxy

/// `berth whose`
struct WhoseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whose",
        abstract: "Say whose a session is: upstream, server, when its id was issued, and by which key.",
        discussion: """
            A signed id is read with the key file alone. Where Berth runs it is asked as well: it knows the sessions that were
            opened anew on another server, and those whose ids it has learned. An id is as good as a password, and the
            arguments of a program are seen by others: "-" reads it from standard input. Exits with 1 if it is nobody's.
            """)

    @Argument(help: "The value of Mcp-Session-Id; \"-\" reads it from standard input.")
    var session: String

    @Flag(help: "Do not ask the running Berth.")
    var offline = false

    @OptionGroup var berth: RunningBerth

    func run() throws {
        let global = try berth.global()
        try RunningBerth.reporting {
            let bytes = session == "-" ? try ExplainCommand.read("-") : Array(session.utf8)
            let id = String(decoding: bytes, as: UTF8.self).trimmed
            let found = try (offline ? nil : online(id, global)) ?? own(id, berth.file().configuration)
            print(found.text, terminator: "")
            guard found.isKnown else { throw ExitCode.failure }
        }
    }

    /// What the running Berth says; nil, and said, if it cannot be asked.
    private func online(_ id: String, _ global: GlobalConfiguration) -> SessionText? {
        guard global.admin != nil || global.adminSocket != nil else { return nil }
        do {
            let response = try AdminClient(global).ask("POST", "/whose", body: id)
            if response.status == 200, let found = Self.decode(Data(response.body.utf8)) { return found }
            note(response.body.trimmed)
        } catch {
            note("\(error)")
        }
        return nil
    }

    private func note(_ reason: String) {
        StandardStream.error.say("berth: the running process was not asked: \(reason)")
    }

    private func own(_ id: String, _ configuration: Configuration) throws -> SessionText {
        let keys = OfflineKeys(configuration)
        if let problem = keys.problem { StandardStream.error.say("berth: \(problem)") }
        let facts = try RequestExplainer(configuration, keys: keys.keys).sessions.facts(of: id)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let found = Self.decode(try encoder.encode(facts)) else {
            throw AdminClient.Failure(description: "the id cannot be read")
        }
        return found
    }

    private static func decode(_ data: Data) -> SessionText? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(SessionText.self, from: data)
    }
}
