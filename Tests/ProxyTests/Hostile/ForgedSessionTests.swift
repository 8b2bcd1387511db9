import Foundation
import Kernel
import MCP
import Reactor
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// Signed ids with bits flipped: as many as somebody can send, and none is taken.
@Suite("Forged session ids")
struct ForgedSessionTests {
    /// Ids that are tried: ten millions with BERTH_FULL_COUNTS=1.
    private static let count =
        ProcessInfo.processInfo.environment["BERTH_FULL_COUNTS"] == "1" ? 10_000_000 : 100_000

    @Test("no id with bits flipped has an owner, and the ids themselves do")
    func flippedBits() throws {
        let stage = ProxyStage(seed: 1, servers: 3)
        stage.snapshot.keys = [ProxyStage.key(1), ProxyStage.key(2)]
        stage.start()
        let affinity = SessionAffinity(stage.snapshot, stage.metrics.view)
        var random = SeededGenerator(seed: 20_261_127)
        var accepted = 0
        var tried = 0
        while tried < Self.count {
            let text = try #require(signed(&random, affinity, stage))
            #expect(isOwned(text, affinity))
            for _ in 0..<200 {
                var forged = text
                for _ in 0..<(random.oneIn(2) ? 1 : Int.random(in: 2...8, using: &random)) {
                    forged[Int.random(in: forged.indices, using: &random)] ^=
                        1 << UInt8.random(in: 0..<8, using: &random)
                }
                guard forged != text else { continue }
                tried += 1
                if isOwned(forged, affinity) { accepted += 1 }
            }
        }
        #expect(accepted == 0 && tried >= Self.count)
    }

    /// A signed id of a server, for an id of either kind: carried as it is, or encoded.
    private func signed(
        _ random: inout SeededGenerator, _ affinity: SessionAffinity, _ stage: ProxyStage
    ) -> [UInt8]? {
        let alphabet = random.oneIn(2) ? "abcdef0123456789-_." : "ab~!c/="
        var buffer = ByteBuffer()
        buffer.append(random.bytes(Int.random(in: 1...36, using: &random), from: alphabet))
        var output = ByteBuffer()
        let server = stage.snapshot.servers[Int.random(in: 0..<3, using: &random)]
        _ = affinity.sign(
            buffer, 0..<buffer.count, for: server.tag, issuedAt: 1_700_000_000, affinityKey: random.next(), in: 0,
            to: &output)
        let bytes = (0..<output.count).map { output.span[$0] }
        return bytes.starts(with: Array("b1.".utf8)) ? bytes : nil
    }

    private func isOwned(_ text: [UInt8], _ affinity: SessionAffinity) -> Bool {
        var buffer = ByteBuffer()
        buffer.append(text)
        let owner = affinity.owner(ofSession: buffer, 0..<buffer.count, in: 0, now: Instant(nanoseconds: 1))
        switch owner {
        case .unknown: return false
        case .server, .removed: return true
        }
    }
}
