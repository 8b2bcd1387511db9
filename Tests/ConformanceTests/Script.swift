import Foundation
import Testing

/// A client script under way, and what it prints.
final class Script {
    /// The figures that some script prints; nil where it does not.
    struct Figures: Decodable {
        var sessions, calls, right, whole, opened: Int?
        var spread: [String: Int]?
        var lost: [String: Int]?
        var stalled: Int?
        var connections: Int?
        var versions: [String: Int]?
        var wrongCount: Int?
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

    /// Sends a line and returns the figures of the line that answers it.
    func ask(_ line: String, within limit: Duration = .seconds(60)) async throws -> Figures {
        try process.send(line)
        return try await next(within: limit)
    }

    /// Sends a line that is not answered.
    func tell(_ line: String) throws { try process.send(line) }

    /// The figures of the next line.
    func next(within limit: Duration = .seconds(60)) async throws -> Figures {
        let index = linesRead
        let line = try await eventually("\(process.name): an answer", within: limit) {
            let ended = !process.isRunning
            let lines = process.outputLines()
            if lines.count > index { return String(lines[index]) }
            if ended { throw DeadlinePassed(description: "\(process.name) ended:\n\(process.lastWords())") }
            return nil
        }
        linesRead += 1
        print("\(process.name): \(line.prefix(400))")
        return try JSONDecoder().decode(Figures.self, from: Data(line.utf8))
    }

    /// Waits for its last line and its exit status.
    func finish(within limit: Duration = .seconds(90)) async throws -> (status: Int32?, figures: Figures) {
        let status = try await process.exitStatus(within: limit)
        guard let line = process.outputLines().last else {
            throw DeadlinePassed(description: "\(process.name) printed nothing:\n\(process.lastWords())")
        }
        print("\(process.name): \(line.prefix(1000))")
        return (status, try JSONDecoder().decode(Figures.self, from: Data(line.utf8)))
    }

    /// Waits for its end and expects that it found everything right.
    @discardableResult
    func expectAllRight(sourceLocation: SourceLocation = #_sourceLocation) async throws -> Figures {
        let (status, figures) = try await finish()
        let said = process.outputLines().last ?? ""
        #expect(status == 0, "\(said)\n\(process.lastWords())", sourceLocation: sourceLocation)
        return figures
    }
}
