import Testing

/// The official SDKs, as real replicas and real clients, with Berth between them.
///
/// One after another: each test starts its own replicas, and the machine has few cores.
@Suite("The official SDKs through Berth", .serialized, .enabled(if: SDK.isReady), .timeLimit(.minutes(5)))
struct Conformance {}

extension Conformance {
    @Test("The environments of the official SDKs can be made")
    func environments() throws {
        _ = try SDK.shared.get()
    }
}
