import Foundation
import Testing

/// A running client script and its output.
final class Script {
    /// The numbers that a script prints; nil for those it does not print.
    struct Results: Decodable {
        var sessions, calls, right, whole, opened: Int?
        var spread: [String: Int]?
        var lost: [String: Int]?
        var stalled: Int?
        var connections: Int?
        var versions: [String: Int]?
        /// By call, the contexts that it had: of its message, and of its HTTP head.
        var traces: [String: [String: String]]?
        var wrongCount: Int?
        var statuses: [String: Int]?
        var longestMilliseconds: Int?
        /// How many calls ended in each way, by `error_type`; "success" for those that went well.
        var outcomes: [String: Int]?
        var legs: Int?
    }

    private let process: ChildProcess
    private var linesRead = 0

    /// Starts `script` with the interpreter of `version`.
    init(_ script: String, _ version: SDK.Version = .v1, _ arguments: [String], in directory: URL) throws {
        let python = try SDK.shared.get().interpreter(version)
        let path = SDK.scripts.appending(path: script).path
        process = try ChildProcess(
            "\(script).\(UUID().uuidString.prefix(6))", python, [path] + arguments, in: directory)
    }

    /// Sends a line and returns the numbers of the answering line.
    func ask(_ line: String, within limit: Duration = .seconds(60)) async throws -> Results {
        try process.send(line)
        return try await next(within: limit)
    }

    /// Sends a line without an answer.
    func sendLine(_ line: String) throws { try process.send(line) }

    /// The numbers of the next line.
    func next(within limit: Duration = .seconds(60)) async throws -> Results {
        let index = linesRead
        let line = try await eventually("\(process.name): an answer", within: limit) {
            let ended = !process.isRunning
            let lines = process.outputLines()
            if lines.count > index { return String(lines[index]) }
            if ended { throw DeadlinePassed(description: "\(process.name) ended:\n\(process.lastErrorLines())") }
            return nil
        }
        linesRead += 1
        print("\(process.name): \(line.prefix(400))")
        return try JSONDecoder().decode(Results.self, from: Data(line.utf8))
    }

    /// Waits for its last line and its exit status.
    func finish(within limit: Duration = .seconds(90)) async throws -> (status: Int32?, results: Results) {
        let status = try await process.exitStatus(within: limit)
        guard let line = process.outputLines().last else {
            throw DeadlinePassed(description: "\(process.name) printed nothing:\n\(process.lastErrorLines())")
        }
        print("\(process.name): \(line.prefix(1000))")
        return (status, try JSONDecoder().decode(Results.self, from: Data(line.utf8)))
    }

    /// Waits for its end and expects that it found no error.
    @discardableResult
    func expectAllRight(
        within limit: Duration = .seconds(90), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Results {
        let (status, results) = try await finish(within: limit)
        let said = process.outputLines().last ?? ""
        #expect(status == 0, "\(said)\n\(process.lastErrorLines())", sourceLocation: sourceLocation)
        return results
    }
}
