import Foundation
import Testing

extension Conformance {
    @Suite("Answers that are kept")
    struct Caching {
        /// 1,000 clients are asked for by the environment: they take a minute.
        private static var clients: String {
            ProcessInfo.processInfo.environment["BERTH_FULL_COUNTS"] == nil ? "150" : "1000"
        }

        @Test("the official client's lists reach the official server once for each time that they are good")
        func lists() async throws {
            try await Fleet.with(
                { directory in [try ReplicaProcess(.cache, named: "replica-1", in: directory)] },
                configure: { $0.rest = "[upstream.mcp.cache]" }
            ) { fleet in
                let server = "http://\(fleet.replicas[0].address)"
                let client = try fleet.client(
                    "cached.py", "--clients", Self.clients, "--replica", server, "--deadline", "170", on: .v2)

                try await client.expectAllRight()
            }
        }
    }
}
