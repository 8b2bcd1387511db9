import ArgumentParser
import Configuration
import FoundationEssentials
import Kernel
import Proxy

/// The option by which commands find a running Berth.
struct RunningBerth: ParsableArguments {
    @Option(name: [.customLong("config"), .short], help: "The file that the running Berth was started with.")
    var config = "/etc/berth/berth.toml"

    /// The file as it is checked for a command: its errors are printed.
    func file() throws -> ConfigurationFile {
        switch CheckedFile.read(config) {
        case .success(let file): return file
        case .failure(let errors):
            StandardStream.error.say("\(errors)")
            throw CheckedFile.errorCode
        }
    }

    /// `[global]` of the file, whose rest may have errors: the running Berth has read it before they were made.
    func global() throws -> GlobalConfiguration {
        let environment = ProcessInfo.processInfo.environment
        if let global = ConfigurationFile.global(path: config, environment: { environment[$0] }) { return global }
        return try file().configuration.global
    }

    /// Its admin address. Where `[global]` has none, errors of the file may be why: they are printed.
    func client() throws -> AdminClient {
        let global = try global()
        let hasAdmin = global.admin != nil || global.adminSocket != nil
        return try AdminClient(hasAdmin ? global : file().configuration.global)
    }

    /// Does `body` with the client. What fails is said, and ends the command with 1.
    func withClient(_ body: (AdminClient) throws -> Void) throws {
        try Self.reporting { try body(try client()) }
    }

    /// Does `body`. What fails is said, and ends the command with 1.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as AdminClient.Failure {
            StandardStream.error.say("berth: \(error)")
            throw ExitCode.failure
        } catch let error as StartError {
            StandardStream.error.say("berth: \(error)")
            throw ExitCode.failure
        }
    }
}
