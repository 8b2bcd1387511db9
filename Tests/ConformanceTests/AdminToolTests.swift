import Testing

extension Conformance {
    @Suite("Tools of the admin address")
    struct AdminTools {
        @Test("An agent operates Berth with the client of mcp 1.30")
        func sessions() async throws {
            try await Fleet.with(.sessions) { fleet in
                let opener = try fleet.client("sessions.py", "--sessions", "3")
                try await opener.expectAllRight()
                try await fleet.adminClient(on: .v1).expectAllRight()
            }
        }

        @Test("An agent operates Berth with the client of mcp 2.3", arguments: ["2026-07-28", "auto", "legacy"])
        func bothRevisions(mode: String) async throws {
            try await Fleet.with(.bothRevisions) { fleet in
                try await fleet.adminClient("--mode", mode, on: .v2).expectAllRight()
            }
        }
    }
}
