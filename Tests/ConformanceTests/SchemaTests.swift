import Foundation
import Testing

extension Conformance {
    @Suite("The schema for editors")
    struct Schema {
        @Test("Python's jsonschema takes the sample configurations with it, and no wrong value at any of their keys")
        func samples() async throws {
            let samples = ["full", "minimal", "sse", "streamable-http"].map {
                SDK.package.appending(path: "configs/\($0).toml").path
            }
            try await withScratch { folder in
                let checked = try Script("schema.py", .v1, [BerthProcess.executable.path] + samples, in: folder)

                #expect((try await checked.expectAllRight().right ?? 0) > 300)
            }
        }
    }
}
