import Foundation
import Testing

extension Conformance {
    /// What the metrics count, compared with what servers and clients have written down themselves.
    @Suite("Counts of mixed calls")
    struct MixedCalls {
        /// Ways for a call to end that must all be there, with what each says about the others.
        private static let outcomes: Set<String> = [
            "success", "tool_error", "-32601", "-32602", "cancelled", "timeout", "aborted", "session_gone",
        ]

        private static let limit = Duration.seconds(FullCount.choose(1_000, else: 200))

        private static func start(in directory: URL) throws -> [ReplicaProcess] {
            let kinds: [(ReplicaProcess.Kind, String)] = [
                (.mixedV1, "v1"), (.mixedV2, "v2"), (.mixedFastMCP, "fastmcp"),
            ]
            return try kinds.flatMap { kind, name in
                try ["events", "json"].map { format in
                    let truth = truth(of: "\(name)-\(format)", in: directory)
                    // Clients read it before the server's first word.
                    try Data().write(to: URL(filePath: truth))
                    return try ReplicaProcess(
                        kind, named: "\(name)-\(format)",
                        ["--truth", truth] + (format == "json" ? ["--json"] : []), in: directory)
                }
            }
        }

        private static func truth(of name: String, in directory: URL) -> String {
            directory.appending(path: "\(name).truth").path
        }

        @Test("They equal the servers' own truth, by tool and outcome, and their p95 is the clients' own")
        func exact() async throws {
            let calls = FullCount.choose(10_000, else: 1_200)
            try await Fleet.with(
                Self.start,
                configure: { configuration in
                    configuration.onLost = "never"
                    // The servers close connections that were idle for five seconds.
                    configuration.timeouts = """
                        { first_byte = "4s", stream_idle = "5s" }
                        pool = { idle_timeout = "2s" }
                        """
                    configuration.modern = Array(configuration.servers.dropFirst(2))
                }
            ) { fleet in
                let share = "\(calls / 20)"
                try await fleet.client("mixed_sdk_v1.py", "--calls", share).expectAllRight()
                for (mode, path) in [("2026-07-28", "/modern"), ("auto", "/modern"), ("legacy", "/mcp")] {
                    try await fleet.client("mixed_sdk_v2.py", "--mode", mode, "--calls", share, on: .v2, path: path)
                        .expectAllRight()
                }
                let record = fleet.directory.appending(path: "record").path
                let mixed = try fleet.mixed(calls - calls / 5, record)
                // In the middle of its calls.
                _ = try await mixed.next(within: Self.limit)
                try await fleet.replicas[0].crash()
                try await mixed.expectAllRight(within: Self.limit)

                let counts = try await fleet.counts(record).expectAllRight()

                #expect(Self.outcomes.isSubset(of: Set(counts.outcomes?.keys.map { $0 } ?? [])))
                #expect((counts.calls ?? 0) > calls * 7 / 10)
            }
        }
    }
}

extension Fleet {
    fileprivate func mixed(_ calls: Int, _ record: String) throws -> Script {
        let seconds = FullCount.choose(900, else: 180)
        let truths = replicas.flatMap { ["--truth", directory.appending(path: "\($0.name).truth").path] }
        let own = [
            "--url", berth.url(.http, "/mcp"), "--calls", "\(calls)", "--record", record, "--deadline", "\(seconds)",
        ]
        return try Script("mixed.py", .v1, own + truths, in: directory)
    }

    fileprivate func counts(_ record: String) throws -> Script {
        let servers = replicas.flatMap { replica in
            let truth = directory.appending(path: "\(replica.name).truth").path
            return ["--server", "\(replica.name)=\(replica.address)=\(truth)"]
        }
        let own = ["--url", berth.admin, "--admin", berth.admin, "--record", record]
        return try Script("mixed_counts.py", .v1, own + servers, in: directory)
    }
}
