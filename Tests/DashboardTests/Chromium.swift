import Foundation
import TestSupport

/// Chromium with a Python that drives it: Debian's `chromium` and `chromium-driver`, and an environment that is made when first
/// needed.
struct Chromium: Sendable {
    private let python: String

    /// The browser, or the reason why there is none.
    static let shared = Result { try Chromium() }

    /// Whether a missing browser is a failure. Otherwise the suite is skipped.
    private static let isRequired =
        ProcessInfo.processInfo.environment["CI"] == "1"
        || ProcessInfo.processInfo.environment["BERTH_REQUIRE_BROWSER"] == "1"

    /// Whether the suite is to run. Prints the reason once if not.
    static let isReady: Bool = {
        guard case .failure(let error) = shared else { return true }
        let line = "DashboardTests: \(isRequired ? "FAILED" : "SKIPPED"), no browser: \(error)\n"
        FileHandle.standardError.write(Data("\n*** \(line)\n".utf8))
        return isRequired
    }()

    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "browser")

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private init() throws {
        for program in ["/usr/bin/chromium", "/usr/bin/chromedriver"]
        where !FileManager.default.isExecutableFile(atPath: program) {
            throw Missing(description: "\(program) is not installed")
        }
        let package = Self.scripts.appending(path: "../../..").standardizedFileURL
        let cache =
            ProcessInfo.processInfo.environment["BERTH_SDK_CACHE"]
            ?? package.appending(path: ".build/sdk-environments").path
        let (status, output) = try Self.run("python3", ["environment.py", cache], limit: 600)
        guard status == 0 else { throw Missing(description: "environment.py ended with status \(status): \(output)") }
        python = output.split(separator: "\n").last.map(String.init) ?? ""
    }

    /// Runs one check of `checks.py`, and returns what it has printed; its exit status is 0 if it passed.
    func check(_ name: String, limit seconds: Int) throws -> (status: Int32, output: String) {
        try Self.run(python, ["checks.py", name], limit: seconds)
    }

    private static func run(
        _ program: String, _ arguments: [String], limit seconds: Int
    ) throws -> (status: Int32, output: String) {
        let process = TestProcess()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "--kill-after=10", "\(seconds)", program] + arguments
        process.currentDirectoryURL = scripts
        process.environment = ProcessInfo.processInfo.environment.merging([
            "BERTH_EXECUTABLE": builtExecutable("berth") ?? "", "PYTHONDONTWRITEBYTECODE": "1",
        ]) { $1 }
        let said = try process.runToEnd(reading: .both)
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}
