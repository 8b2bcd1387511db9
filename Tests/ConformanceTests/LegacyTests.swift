import Testing

extension Conformance {
    @Suite("HTTP+SSE (2024-11-05)")
    struct Legacy {
        @Test(
            "All calls of 30 sessions from one address are answered",
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.ListenerKind.allCases)
        func sessions(affinity: BerthProcess.Affinity, listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                let client = try fleet.client(
                    "sessions.py", "--legacy", "--sessions", "30", "--calls", "10", "--replicas", "3",
                    through: listener, path: "/sse")

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
