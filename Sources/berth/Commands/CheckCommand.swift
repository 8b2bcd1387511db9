import ArgumentParser
import Configuration

/// `berth check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file and print all errors in it.",
        discussion: "Exits with 0 if the file is valid, with 2 if it is not.")

    @Argument(help: "The configuration file (TOML).")
    var file: String

    @Flag(help: "Print every value with its origin: a line of the file, or the default.")
    var effective = false

    func run() throws {
        let checked = try CheckedFile.load(file)
        if effective {
            print(checked.effectiveText(), terminator: "")
        } else {
            let upstreams = checked.configuration.upstreams
            let servers = upstreams.reduce(0) { $0 + $1.servers.count }
            let counts = "\(Self.count(servers, "server")) in \(Self.count(upstreams.count, "upstream"))"
            print("\(file): valid, \(counts)")
        }
    }

    /// A number with its noun, as in "1 server" or "2 servers".
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
