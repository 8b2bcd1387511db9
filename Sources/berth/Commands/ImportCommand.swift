import ArgumentParser
import Configuration
import FoundationEssentials
import Import
import Kernel

/// `berth import`
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turn a configuration of nginx or HAProxy into one of Berth.",
        discussion: """
            Prints the new file, and to standard error what was repaired and what cannot be carried over:

              berth import /etc/nginx/nginx.conf > berth.toml
              nginx -T | berth import - > berth.toml
              berth import /etc/haproxy/haproxy.cfg > berth.toml

            Above each table of the new file stand the lines that it comes from, each with what became of it: kept, Berth's
            default, REPAIRED (it would have hurt sessions or event streams) or LEFT OUT. Requests that the old configuration
            let in only after a check that Berth cannot make get 403 until you have decided.

            Exits with 0 if everything could be carried over, with 1 if something is left out, with 2 if the file cannot be
            read or has nothing in it to balance.
            """)

    @Argument(help: "The configuration file, or - for standard input. Files that it includes are read.")
    var file: String

    @Option(help: "nginx or haproxy; by default told by the name and the contents.")
    var format: String?

    func validate() throws {
        guard let format, ConfigurationImport.Format(rawValue: format) == nil else { return }
        throw ValidationError("--format is nginx or haproxy")
    }

    func run() throws {
        let bytes: [UInt8]
        do {
            bytes = try Self.read(file)
        } catch {
            warn("\(file): error: cannot be read\n  \(ErrorNumber.text(error.code))")
            throw CheckedFile.errorCode
        }
        let found: ConfigurationImport
        do {
            found = try ConfigurationImport(
                bytes, file: file == "-" ? "standard input" : file,
                format: format.flatMap { ConfigurationImport.Format(rawValue: $0) }, files: Self.files)
        } catch {
            warn("\(error)")
            throw CheckedFile.errorCode
        }
        print(found.text, terminator: "")
        report(found)
        if found.hasLosses { throw ExitCode.failure }
    }

    private func report(_ found: ConfigurationImport) {
        for finding in found.findings {
            warn(
                "\(finding.place): \(finding.verdict == .repaired ? "repaired" : "left out"): \(finding.text)\n  \(finding.reason)"
            )
        }
        let words: [(Verdict, String)] = [
            (.kept, "kept"), (.byDefault, "default"), (.repaired, "repaired"), (.leftOut, "left out"),
        ]
        let counts = words.map { "\(found.counts[$0.0, default: 0]) \($0.1)" }.joined(separator: ", ")
        warn("\(file): \(counts)")
    }

    private func warn(_ line: String) { StandardStream.error.say(line) }

    // MARK: - Files

    /// The largest file that is read, and one byte more.
    private static let maximumBytes = (4 << 20) + 1

    private static var files: SourceFiles {
        SourceFiles(
            read: { readIncluded($0) }, list: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })
    }

    /// A pattern may find anything, such as a pipe that nobody writes to: what is included is a regular file.
    private static func readIncluded(_ path: String) -> [UInt8]? {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        guard attributes?[.type] as? FileAttributeType == .typeRegular else { return nil }
        return try? read(path)
    }

    private static func read(_ path: String) throws(SystemError) -> [UInt8] {
        try ReadableFile(path == "-" ? "/dev/stdin" : path).rest(limit: maximumBytes)
    }
}
