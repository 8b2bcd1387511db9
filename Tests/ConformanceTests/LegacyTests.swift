import Testing

extension Conformance {
    @Suite("HTTP+SSE (2024-11-05)")
    struct Legacy {
        @Test(
            "30 sessions behind one address are all answered",
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.Entrance.allCases)
        func sessions(affinity: BerthProcess.Affinity, entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                let client = try fleet.client(
                    "sessions.py", "--legacy", "--sessions", "30", "--calls", "10", "--replicas", "3",
                    through: entrance, path: "/sse")

                try await client.expectAllRight()
            }
        }

        @Test("Sampling and elicitation are answered by POST")
        func serverRequests() async throws {
            try await Fleet.with(.sessions) { fleet in
                try await fleet.client("server_requests.py", "--legacy", "--replicas", "3", path: "/sse")
                    .expectAllRight()
            }
        }
    }
}
