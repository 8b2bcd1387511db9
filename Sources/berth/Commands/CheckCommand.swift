import ArgumentParser
import Configuration

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file and print every error in it.",
        discussion: "Ends with 0 if the file is good and with 2 if it is not.")

    @Argument(help: "The configuration file (TOML).")
    var file: String

    @Flag(help: "Print every value and where it comes from: a line of the file, or the default.")
    var effective = false

    func run() throws {
        let checked = try CheckedFile.load(file)
        if effective {
            print(checked.effectiveText(), terminator: "")
        } else {
            let upstreams = checked.configuration.upstreams
            let servers = upstreams.reduce(0) { $0 + $1.servers.count }
            print("\(file): good. \(servers) servers in \(upstreams.count) upstreams.")
        }
    }
}
