import ArgumentParser

/// `berth version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    func run() {
        print("berth \(Berth.version)")
    }
}
