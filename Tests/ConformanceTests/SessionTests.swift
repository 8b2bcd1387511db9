import Testing

extension Conformance {
    @Suite("Sessions of the 2025 eras")
    struct Sessions {
        @Test(
            "Every call of 50 sessions is answered by the session's replica",
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.Entrance.allCases)
        func affinity(affinity: BerthProcess.Affinity, entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                let client = try fleet.client("sessions.py", "--replicas", "3", through: entrance)

                let figures = try await client.expectAllRight()

                #expect(figures.whole == 50)
                #expect(figures.right == 1000)
            }
        }

        @Test("FastMCP's sessions are kept too")
        func fastMCP() async throws {
            try await Fleet.with(.fastMCP) { fleet in
                try await fleet.client("sessions.py", "--replicas", "3", "--sessions", "15").expectAllRight()
            }
        }

        @Test("The check can fail: without an affinity no session stays whole")
        func negativeControl() async throws {
            try await Fleet.with(.sessions, affinity: .off) { fleet in
                let client = try fleet.client("sessions.py", "--call-timeout", "5")

                let (status, figures) = try await client.finish()

                #expect(status == 1)
                #expect(figures.whole == 0)
                #expect((figures.right ?? .max) < 500)
            }
        }

        @Test(
            "Sampling and elicitation are answered on another connection",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func serverRequests(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                try await fleet.client("server_requests.py", "--replicas", "3").expectAllRight()
            }
        }

        @Test(
            "GET streams, progress, resumption, DELETE and unknown sessions behave as without a proxy",
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.Entrance.allCases)
        func streams(affinity: BerthProcess.Affinity, entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                try await fleet.client("streams.py", "--replicas", "3", through: entrance).expectAllRight()
            }
        }
    }
}
