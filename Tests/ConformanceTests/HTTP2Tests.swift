import Testing

extension Conformance {
    /// The client is httpx with HTTP/2. Each script fails if a response uses another version.
    ///
    /// In httpx the first waiting stream reads the connection for all, and only new bytes wake another stream. So a
    /// received response may stay unread while other streams are idle, which a short heartbeat prevents.
    @Suite("HTTP/2")
    struct HTTP2 {
        @Test(
            "Sessions share one connection for concurrent calls, event streams, progress, sampling and large results")
        func multiplexed() async throws {
            try await Fleet.with(.sessions, heartbeat: "1s") { fleet in
                let client = try fleet.client("multiplexed.py", "--http2", "--replicas", "3")
                let results = try await client.expectAllRight()
                #expect(results.connections == 1)
                #expect((results.versions?["HTTP/2"] ?? 0) > 4 * 20)
            }
        }

        @Test(
            "Every call of 50 sessions is answered by the session's replica",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func affinity(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity, heartbeat: "1s") { fleet in
                let results = try await fleet.client("sessions.py", "--http2", "--replicas", "3").expectAllRight()
                #expect(results.whole == 50)
                #expect(results.right == 1000)
            }
        }

        @Test("Sampling and elicitation are answered on another stream")
        func serverRequests() async throws {
            try await Fleet.with(.sessions, heartbeat: "1s") { fleet in
                try await fleet.client("server_requests.py", "--http2", "--replicas", "3").expectAllRight()
            }
        }

        @Test("20 MiB arrive unchanged in both directions, with and without content-length")
        func bodies() async throws {
            try await Fleet.with(.raw) { fleet in
                try await fleet.client("bodies.py", "--http2").expectAllRight()
            }
        }

        @Test("The check can fail: without TLS httpx uses HTTP/1.1")
        func negativeControl() async throws {
            try await Fleet.with(.sessions, replicas: 1) { fleet in
                let client = try fleet.client("multiplexed.py", "--http2", "--sessions", "2", through: .http)
                let (status, results) = try await client.finish()
                #expect(status == 1)
                #expect(results.versions?["HTTP/2"] == nil)
            }
        }
    }
}
