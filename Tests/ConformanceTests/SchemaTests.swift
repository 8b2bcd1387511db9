import Foundation
import Testing

extension Conformance {
    @Suite("The schema for editors")
    struct Schema {
        @Test("Python's jsonschema takes the sample configurations with it, and no wrong value at any of their keys")
        func samples() async throws {
            let package = SDK.scripts.appending(path: "../../..").standardizedFileURL
            let samples = ["full", "minimal", "sse", "streamable-http"].map {
                package.appending(path: "configs/\($0).toml").path
            }
            let checked = try Script("schema.py", .v1, [BerthProcess.executable.path] + samples, in: package)

            #expect((try await checked.expectAllRight().right ?? 0) > 300)
        }
    }
}
