import Testing

extension Conformance {
    @Suite("Streamable HTTP with sessions (2025)")
    struct Sessions {
        @Test(
            "Every call of 50 sessions is answered by the session's replica",
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.ListenerKind.allCases)
        func affinity(affinity: BerthProcess.Affinity, listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                let client = try fleet.client("sessions.py", "--replicas", "3", through: listener)

                let results = try await client.expectAllRight()

                #expect(results.whole == 50)
                #expect(results.right == 1000)
            }
        }

        @Test("FastMCP's sessions keep their replica")
        func fastMCP() async throws {
            try await Fleet.with(.fastMCP) { fleet in
                try await fleet.client("sessions.py", "--replicas", "3", "--sessions", "15").expectAllRight()
            }
        }

        @Test("The check can fail: without affinity no session keeps its replica")
        func negativeControl() async throws {
            try await Fleet.with(.sessions, affinity: .off) { fleet in
                let client = try fleet.client("sessions.py", "--call-timeout", "5")

                let (status, results) = try await client.finish()

                #expect(status == 1)
                #expect(results.whole == 0)
                #expect((results.right ?? .max) < 500)
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
            arguments: [BerthProcess.Affinity.signed, .learned], BerthProcess.ListenerKind.allCases)
        func streams(affinity: BerthProcess.Affinity, listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                try await fleet.client("streams.py", "--replicas", "3", through: listener).expectAllRight()
            }
        }

        @Test(
            "A GET stream that is opened again before its end was noticed never meets 409",
            arguments: BerthProcess.ListenerKind.allCases)
        func reconnects(listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.sessions) { fleet in
                let results = try await fleet.client("reconnects.py", through: listener).expectAllRight()

                #expect(results.right == 200)
            }
        }

        @Test("The check can fail: without Berth, replicas answer 409 until they have noticed")
        func conflicts() async throws {
            try await Fleet.with(.sessions) { fleet in
                let client = try fleet.client("reconnects.py", "--url", "http://\(fleet.replicas[0].address)/mcp")

                let (status, results) = try await client.finish()

                #expect(status == 1)
                #expect((results.right ?? .max) < 200)
            }
        }
    }
}
