import Testing

extension Conformance {
    @Suite("The stateless era (2026-07-28)")
    struct Stateless {
        @Test(
            "A client's calls meet every replica, its questions too, and its leaving cancels",
            arguments: ["2026-07-28", "auto"], BerthProcess.Entrance.allCases)
        func calls(mode: String, entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.dualEra) { fleet in
                let direct = fleet.replicas.map { "http://\($0.address)" }
                let client = try fleet.client(
                    "modern.py", "--mode", mode, "--replicas", "3", "--replica", direct[0], "--replica", direct[1],
                    "--replica", direct[2], on: .v2, through: entrance)

                try await client.expectAllRight()
            }
        }

        @Test("One fleet serves clients of three kinds at once")
        func dualEra() async throws {
            try await Fleet.with(.dualEra) { fleet in
                let clients = try [
                    fleet.client("modern.py", on: .v2),
                    fleet.client("modern.py", "--mode", "legacy", on: .v2),
                    fleet.client("sessions.py", "--sessions", "15"),
                ]

                for client in clients {
                    let figures = try await client.expectAllRight()
                    #expect(figures.spread?.count == 3)
                }
            }
        }
    }
}
