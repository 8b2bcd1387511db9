import Testing

extension Conformance {
    @Suite("The page of metrics")
    struct Metrics {
        @Test("Prometheus' tools and the official Python parsers read it, in both formats and in gzip")
        func formats() async throws {
            try await Fleet.with(.sessions) { fleet in
                let calls = try await fleet.client("sessions.py", "--replicas", "3", "--sessions", "10")
                    .expectAllRight()

                let results = try await fleet.client(
                    "metrics.py", "--admin", fleet.berth.admin, "--calls", "\(calls.right ?? -1)"
                ).expectAllRight()

                #expect((results.right ?? 0) > 40)
            }
        }
    }
}
