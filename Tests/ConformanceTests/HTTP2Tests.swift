import Testing

extension Conformance {
    /// The client is httpx with HTTP/2: each script fails where a response came over anything else.
    ///
    /// Its reader is whichever stream asked first, and only more bytes wake the next: an answer may lie in the client,
    /// received and unread, while other streams of its connection are idle. Hence a short heartbeat.
    @Suite("HTTP/2")
    struct HTTP2 {
        @Test(
            "Sessions that share one connection: calls, event streams, progress, sampling, large results, all at once")
        func multiplexed() async throws {
            try await Fleet.with(.sessions, heartbeat: "1s") { fleet in
                let client = try fleet.client("multiplexed.py", "--http2", "--replicas", "3")
                let figures = try await client.expectAllRight()
                #expect(figures.connections == 1)
                #expect((figures.versions?["HTTP/2"] ?? 0) > 4 * 20)
            }
        }

        @Test(
            "Every call of 50 sessions is answered by the session's replica",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func affinity(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity, heartbeat: "1s") { fleet in
                let figures = try await fleet.client("sessions.py", "--http2", "--replicas", "3").expectAllRight()
                #expect(figures.whole == 50)
                #expect(figures.right == 1000)
            }
        }

        @Test("Sampling and elicitation are answered on another stream")
        func serverRequests() async throws {
            try await Fleet.with(.sessions, heartbeat: "1s") { fleet in
                try await fleet.client("server_requests.py", "--http2", "--replicas", "3").expectAllRight()
            }
        }

        @Test("20 MiB arrive byte for byte both ways, by length and without")
        func bodies() async throws {
            try await Fleet.with(.raw) { fleet in
                try await fleet.client("bodies.py", "--http2").expectAllRight()
            }
        }

        @Test("The check can fail: without TLS httpx speaks HTTP/1.1")
        func negativeControl() async throws {
            try await Fleet.with(.sessions, replicas: 1) { fleet in
                let client = try fleet.client("multiplexed.py", "--http2", "--sessions", "2", through: .http)
                let (status, figures) = try await client.finish()
                #expect(status == 1)
                #expect(figures.versions?["HTTP/2"] == nil)
            }
        }
    }
}
