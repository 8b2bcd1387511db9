import Foundation
import Testing

extension Conformance {
    /// Nothing that Berth writes has what must stay between a client and its server.
    @Suite("What logs never have")
    struct Secrecy {
        @Test("Arguments, results, tokens, cookies, queries and ids of sessions are in no log, trace or page")
        func marks() async throws {
            try await withScratch { directory in
                let (calls, own) = (FullCount.choose(1_000_000, else: 5_000), FullCount.choose(20_000, else: 2_000))
                let load = BerthProcess.executable.deletingLastPathComponent().appending(path: "berth-load").path
                let script = try Script(
                    "marked.py", .v1,
                    [
                        "--url", "http://127.0.0.1", "--berth", BerthProcess.executable.path, "--berth-load", load,
                        "--calls", "\(calls)", "--own", "\(own)", "--directory", directory.path, "--deadline",
                        "\(FullCount.choose(900, else: 100))",
                    ], in: directory)

                let results = try await script.expectAllRight(within: .seconds(FullCount.choose(1_000, else: 120)))

                #expect((results.calls ?? 0) >= calls + own)
            }
        }
    }
}
