import Foundation
import TestSupport

/// The official Python SDKs, in two environments with pinned versions that are made when first needed.
struct SDK: Sendable {
    enum Version: String { case v1, v2 }

    private let interpreters: [String: String]

    /// The environments, or the reason why there are none. Making them takes a minute.
    static let shared = Result { try SDK() }

    /// Whether missing environments are a failure. Otherwise the suites are skipped.
    static let isRequired =
        ProcessInfo.processInfo.environment["CI"] == "1"
        || ProcessInfo.processInfo.environment["BERTH_REQUIRE_SDK"] == "1"

    /// Whether the suites are to run. Prints the reason once if not.
    static let isReady: Bool = {
        guard case .failure(let error) = shared else { return true }
        let line =
            "ConformanceTests: \(isRequired ? "FAILED" : "SKIPPED"), no environments of the Python SDKs: \(error)\n"
        FileHandle.standardError.write(Data("\n*** \(line)\n".utf8))
        return isRequired
    }()

    /// The folder of the scripts, beside this file.
    static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "sdk")

    /// The folder of the package.
    static let package = scripts.appending(path: "../../..").standardizedFileURL

    func interpreter(_ version: Version) -> URL { URL(filePath: interpreters[version.rawValue] ?? "/nonexistent") }

    private init() throws {
        let cache =
            ProcessInfo.processInfo.environment["BERTH_SDK_CACHE"]
            ?? Self.package.appending(path: ".build/sdk-environments").path
        let maker = TestProcess()
        maker.executableURL = URL(filePath: "/usr/bin/env")
        maker.arguments = ["timeout", "600", "python3", Self.scripts.appending(path: "environments.py").path, cache]
        let said = try maker.runToEnd()
        guard maker.terminationReason == .exit, maker.terminationStatus == 0 else {
            throw DeadlinePassed(description: "environments.py ended with status \(maker.terminationStatus)")
        }
        interpreters = try JSONDecoder().decode([String: String].self, from: said)
    }
}
