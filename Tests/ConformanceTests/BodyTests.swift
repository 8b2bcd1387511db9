import Testing

extension Conformance {
    @Suite("Bodies")
    struct Bodies {
        @Test(
            "20 MiB arrive byte for byte both ways, by length and chunked",
            arguments: BerthProcess.Entrance.allCases)
        func exact(entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.raw) { fleet in
                try await fleet.client("bodies.py", through: entrance).expectAllRight()
            }
        }

        @Test("A reader that stops in the middle of 1 GiB costs no memory", arguments: BerthProcess.Entrance.allCases)
        func slowReader(entrance: BerthProcess.Entrance) async throws {
            try await Fleet.with(.raw, replicas: 1) { fleet in
                // Once round first: buffers and TLS state that every worker makes once are not the reader's.
                try await fleet.client("bodies.py", through: entrance).expectAllRight()
                let before = try fleet.berth.residentBytes()
                let client = try fleet.client(
                    "bodies.py", "--slow", "\(1 << 30)", "--deadline", "120", through: entrance)

                for _ in 1...3 {
                    let stalled = try await client.next()
                    let grown = try await peak(of: fleet.berth) - before
                    #expect(grown < 1 << 20, "grown by \(grown) bytes, reader stopped at \(stalled.stalled ?? 0)")
                    print("slow reader over \(entrance): berth grown by \(grown) bytes from \(before)")
                    try client.tell("go on")
                }
                try await client.expectAllRight()
            }
        }

        /// The most memory it held in half a second: what the replica can still push arrives after the reader stopped.
        private func peak(of berth: BerthProcess) async throws -> Int {
            var samples: [Int] = []
            return try await eventually("samples", within: .seconds(10)) {
                samples.append(try berth.residentBytes())
                return samples.count == 50 ? samples.max() : nil
            }
        }
    }
}
