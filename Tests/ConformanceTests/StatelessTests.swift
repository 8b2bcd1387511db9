import Testing

extension Conformance {
    @Suite("Stateless protocol (2026-07-28)")
    struct Stateless {
        @Test(
            "A client's calls and queries are spread over all replicas, and a disconnect cancels its call",
            arguments: ["2026-07-28", "auto"], BerthProcess.ListenerKind.allCases)
        func calls(mode: String, listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.bothRevisions) { fleet in
                let direct = fleet.replicas.map { "http://\($0.address)" }
                let client = try fleet.client(
                    "modern.py", "--mode", mode, "--replicas", "3", "--replica", direct[0], "--replica", direct[1],
                    "--replica", direct[2], on: .v2, through: listener)

                try await client.expectAllRight()
            }
        }

        @Test("One fleet serves clients of three kinds at once")
        func bothRevisions() async throws {
            try await Fleet.with(.bothRevisions) { fleet in
                let clients = try [
                    fleet.client("modern.py", on: .v2),
                    fleet.client("modern.py", "--mode", "legacy", on: .v2),
                    fleet.client("sessions.py", "--sessions", "15"),
                ]

                for client in clients {
                    let results = try await client.expectAllRight()
                    #expect(results.spread?.count == 3)
                }
            }
        }
    }
}
