import Foundation
import TestSupport

/// Parsers of others, in Python: h11, httptools (llhttp) and json, in an environment that is made when first needed.
struct OtherParsers: Sendable {
    /// What an HTTP parser read.
    struct Request: Decodable {
        var method, target, body: String
        /// Names in lower case, and values.
        var fields: [[String]]
        var isWhole: Bool
    }

    struct HTTP: Decodable {
        var h11, llhttp: Request?
    }

    /// What json read: texts as UTF-16 in hexadecimal digits.
    struct JSON: Decodable {
        var isJSON: Bool
        var method, name: String?
        var twice: Bool?
    }

    private let python: URL
    private static let tests = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "..")

    /// The parsers, or why there are none.
    static let shared = Result { try OtherParsers() }

    /// Whether the comparisons are to run; says so if not. A missing environment is a failure where CI is 1.
    static let areReady: Bool = {
        guard case .failure(let error) = shared else { return true }
        let isRequired = ProcessInfo.processInfo.environment["CI"] == "1"
        let line = "\n*** FuzzingTests: comparisons \(isRequired ? "FAILED" : "SKIPPED"), no Python parsers: \(error)\n"
        FileHandle.standardError.write(Data(line.utf8))
        return isRequired
    }()

    private init() throws {
        let cache =
            ProcessInfo.processInfo.environment["BERTH_SDK_CACHE"]
            ?? Self.tests.appending(path: "../.build/sdk-environments").standardizedFileURL.path
        let maker = Self.tests.appending(path: "ConformanceTests/sdk/environments.py").standardizedFileURL.path
        let said = try Self.run(
            URL(filePath: "/usr/bin/env"), ["timeout", "600", "python3", maker, cache, "parsers"], Data())
        python = URL(filePath: try JSONDecoder().decode([String: String].self, from: said)["parsers"] ?? "")
    }

    func requests(_ inputs: [[UInt8]]) throws -> [HTTP] { try verdicts("http", inputs) }
    func texts(_ inputs: [[UInt8]]) throws -> [JSON] { try verdicts("json", inputs) }

    private func verdicts<Verdict: Decodable>(_ kind: String, _ inputs: [[UInt8]]) throws -> [Verdict] {
        let script = Self.tests.appending(path: "FuzzingTests/parsers/verdicts.py").standardizedFileURL.path
        let lines = inputs.map { bytes in "\(kind) " + bytes.map { String(format: "%02x", $0) }.joined() + "\n" }
        let said = try Self.run(python, [script], Data(lines.joined().utf8))
        let decoder = JSONDecoder()
        return try said.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(Verdict.self, from: $0) }
    }

    private static func run(_ executable: URL, _ arguments: [String], _ input: Data) throws -> Data {
        let process = TestProcess()
        process.executableURL = executable
        process.arguments = arguments
        let said = try process.runToEnd(input: input)
        guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
        return said
    }

    struct Failed: Error { var status: Int32 }
}
