import ArgumentParser
import FoundationEssentials
import Glibc
import Kernel

/// `berth launch`: executes another program, which then ends with the thread that started it. Of `prove` and `demo`.
struct LaunchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch", abstract: "Execute a program that ends with its parent.", shouldDisplay: false)

    @Argument(help: "The signal that ends it.")
    var signal: Int32

    @Argument(parsing: .captureForPassthrough, help: "The path of the program, and its arguments.")
    var words: [String]

    func run() throws {
        Kinship.endWithParent(signal)
        var arguments = words.map { strdup($0) } + [nil]
        execv(words[0], &arguments)
        StandardStream.error.say("\(words[0]): \(ErrorNumber.text(errno))")
        throw ExitCode(127)
    }
}
