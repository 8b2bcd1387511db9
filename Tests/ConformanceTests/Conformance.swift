import TestSupport
import Testing

/// Servers and clients made with the official SDKs, with Berth between them.
///
/// Serialized, because each test starts its own replicas.
@Suite(
    "The official SDKs through Berth", .serialized, .oneAtATime, .enabled(if: SDK.isReady))
struct Conformance {}

extension Conformance {
    @Test("The environments of the official SDKs can be made")
    func environments() throws {
        _ = try SDK.shared.get()
    }
}
