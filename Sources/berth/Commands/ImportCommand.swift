import ArgumentParser
import Configuration
import Foundation
import Import

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
        guard let bytes = Self.read(file) else {
            warn("\(file): error: cannot be read\n  \(Self.problem(file))")
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

    private func warn(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }

    // MARK: - Files

    /// The largest file that is read, and one byte more.
    private static let maximumBytes = (4 << 20) + 1

    private static var files: SourceFiles {
        SourceFiles(read: { read($0) }, list: { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] })
    }

    private static func read(_ path: String) -> [UInt8]? {
        if path == "-" { return bytes(from: FileHandle.standardInput) }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            let handle = FileHandle(forReadingAtPath: path)
        else { return nil }
        defer { try? handle.close() }
        return bytes(from: handle)
    }

    private static func bytes(from handle: FileHandle) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < maximumBytes {
            guard let more = try? handle.read(upToCount: maximumBytes - bytes.count) else { break }
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    private static func problem(_ path: String) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return "No such file or directory"
        }
        return isFolder.boolValue ? "it is a folder" : "Permission denied"
    }
}
