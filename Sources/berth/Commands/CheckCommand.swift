import ArgumentParser
import Configuration
import Discovery
import FoundationEssentials
import Kernel
import Proxy

/// `berth check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file and print all errors in it.",
        discussion: """
            Exits with 0 if the file is valid, with 2 if it is not. With --dial it also opens every listener and dials every
            server: 1 if an address cannot be listened on, as "berth run" would then exit with.
            """)

    @Argument(help: "The configuration file (TOML).")
    var file: String

    @Flag(help: "Print every value with its origin: a line of the file, or the default.")
    var effective = false

    @Flag(help: "Also open every listener and dial every server, to see what run will meet.")
    var dial = false

    func run() throws {
        let checked = try CheckedFile.load(file, resolvesNames: !dial)
        try checkDefaultKeys(checked.configuration)
        if effective {
            print(checked.effectiveText(), terminator: "")
        } else {
            let upstreams = checked.configuration.upstreams
            let servers = upstreams.reduce(0) { $0 + $1.servers.count }
            let counts = "\(Self.count(servers, "server")) in \(Self.count(upstreams.count, "upstream"))"
            let found = checked.configuration.discoveryPlans.map { "\($0.upstream) (\($0.source))" }
            let more = found.isEmpty ? "" : "; more are found for \(found.joined(separator: ", "))"
            print("\(file): valid, \(counts)\(more)")
        }
        if dial { try report(DialCheck(checked.configuration)) }
    }

    /// The key file that the configuration does not name is used all the same.
    private func checkDefaultKeys(_ configuration: Configuration) throws {
        guard configuration.global.secret == nil,
            configuration.upstreams.contains(where: { $0.session.affinity == .signed }),
            let problem = KeyFile.problem(with: KeyFile.defaultPath)
        else { return }
        warn("\(file): error: the keys in \(KeyFile.defaultPath), the default, cannot be used\n  \(problem)")
        throw CheckedFile.errorCode
    }

    private func report(_ found: DialCheck) throws {
        for line in found.successes { print(line) }
        for line in found.warnings { warn("\(file): warning: \(line)") }
        for line in found.errors { warn("\(file): error: \(line)") }
        if !found.errors.isEmpty { throw ExitCode.failure }
    }

    private func warn(_ line: String) {
        StandardStream.error.say(line)
    }

    /// A number with its noun, as in "1 server" or "2 servers".
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
