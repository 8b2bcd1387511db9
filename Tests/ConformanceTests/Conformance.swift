import TestSupport
import Testing

/// Servers and clients made with the official SDKs, with Berth between them.
///
/// Each test starts its own replicas, so few run at a time.
@Suite("The official SDKs through Berth", .fewAtATime, .enabled(if: SDK.isReady))
struct Conformance {}

extension Conformance {
    @Test("The environments of the official SDKs can be made")
    func environments() throws {
        _ = try SDK.shared.get()
    }
}
