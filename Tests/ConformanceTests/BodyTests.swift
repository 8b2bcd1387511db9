import Testing

extension Conformance {
    @Suite("Bodies")
    struct Bodies {
        @Test(
            "20 MiB arrive unchanged in both directions, with Content-Length and chunked",
            arguments: BerthProcess.ListenerKind.allCases)
        func exact(listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.raw) { fleet in
                try await fleet.client("bodies.py", through: listener).expectAllRight()
            }
        }

        @Test(
            "A client that stops reading in the middle of 1 GiB uses no memory",
            arguments: BerthProcess.ListenerKind.allCases)
        func slowReader(listener: BerthProcess.ListenerKind) async throws {
            try await Fleet.with(.raw, replicas: 1) { fleet in
                // One round first, so that buffers and TLS state of every worker exist already.
                try await fleet.client("bodies.py", through: listener).expectAllRight()
                let before = try fleet.berth.residentBytes()
                let client = try fleet.client(
                    "bodies.py", "--slow", "\(1 << 30)", "--deadline", "120", through: listener)

                for _ in 1...3 {
                    let stalled = try await client.next()
                    let grown = try await peak(of: fleet.berth) - before
                    #expect(grown < 1 << 20, "grown by \(grown) bytes, reader stopped at \(stalled.stalled ?? 0)")
                    print("slow reader over \(listener): berth grown by \(grown) bytes from \(before)")
                    try client.sendLine("go on")
                }
                try await client.expectAllRight()
            }
        }

        /// The highest memory within half a second, because the replica can still send bytes after the reader has
        /// stopped.
        private func peak(of berth: BerthProcess) async throws -> Int {
            var samples: [Int] = []
            return try await eventually("samples", within: .seconds(60)) {
                samples.append(try berth.residentBytes())
                return samples.count == 50 ? samples.max() : nil
            }
        }
    }
}
