import ASCII
import ArgumentParser
import Configuration
import FoundationEssentials
import Kernel
import Proxy

/// `berth explain`
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what becomes of an HTTP request: listener, route, kind, session, and which server and why.",
        discussion: """
            The request is text as it is on the wire: the request line, fields, a blank line, the body. Content-Length may be
            left out.

              printf 'POST /mcp HTTP/1.1\\nMcp-Session-Id: b1.…\\n\\n{"jsonrpc":"2.0","id":1,"method":"ping"}' | berth explain -

            Nothing is sent. By itself it goes by the configuration and the key file, and takes all servers for healthy; with
            --online the running Berth answers, which also knows who is down and where sessions were recovered.
            """)

    @Argument(help: "A file with the request; \"-\" reads it from standard input.")
    var request: String

    @Option(help: "The IP address that the request comes from, for ip-hash.")
    var client: String?

    @Flag(help: "Ask the running Berth.")
    var online = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var berth: RunningBerth

    func validate() throws {
        if let client, SocketAddress(literal: client, port: 0) == nil {
            throw ValidationError("--client \(client) is no IP address")
        }
    }

    func run() throws {
        let file = try berth.file()
        try RunningBerth.reporting {
            let text = try Self.read(request)
            let explanation = try online ? ask(text, file) : explain(text, file)
            if !online {
                StandardStream.error.say("berth: from the file, all servers taken for healthy; --online asks Berth")
            }
            print(json ? explanation.json : explanation.text(file.configuration.listeners), terminator: "")
        }
    }

    static func read(_ path: String) throws -> [UInt8] {
        do {
            return try ReadableFile(path == "-" ? "/dev/stdin" : path).rest(limit: 64 << 20)
        } catch {
            throw AdminClient.Failure(description: "cannot read \(path): \(ErrorNumber.text(error.code))")
        }
    }

    private func explain(_ text: [UInt8], _ file: ConfigurationFile) throws -> ExplanationText {
        let keys = OfflineKeys(file.configuration)
        if let problem = keys.problem { StandardStream.error.say("berth: \(problem)") }
        let explainer = try RequestExplainer(file.configuration, keys: keys.keys)
        let address = client.flatMap { SocketAddress(literal: $0, port: 0) }
        let explanation: RequestExplanation
        do throws(RequestExplainer.Fault) {
            explanation = try explainer.explain(text, from: address)
        } catch {
            throw AdminClient.Failure(description: "\(error)")
        }
        return try ExplanationText(explanation)
    }

    private func ask(_ text: [UInt8], _ file: ConfigurationFile) throws -> ExplanationText {
        let target = "/explain" + (client.map { "?client=\(AdminClient.escaped($0))" } ?? "")
        let response = try AdminClient(file.configuration.global).ask(
            "POST", target, body: String(decoding: text, as: UTF8.self))
        guard response.status == 200, let found = ExplanationText(response.body) else {
            throw AdminClient.Failure(description: response.body.trimmed)
        }
        return found
    }
}

/// The keys that a configuration names, for a command that makes none.
struct OfflineKeys {
    private(set) var keys: [SigningKey] = []
    /// Why there are none.
    private(set) var problem: String?

    init(_ configuration: Configuration) {
        guard configuration.upstreams.contains(where: { $0.session.affinity == .signed }) else { return }
        let path: String
        switch configuration.global.secret {
        case .key(let key):
            keys = [SigningKey(key)]
            return
        case .file(let file): path = file
        case nil: path = KeyFile.defaultPath
        }
        do throws(StartError) {
            keys = try KeyFile.loadExisting(path, at: Int64(WallClock.seconds())) ?? []
            if keys.isEmpty { problem = "there is no key file \(path): no signed id can be verified" }
        } catch {
            problem = "no signed id can be verified: \(error)"
        }
    }
}
