import Configuration
import Kernel
import Testing

@testable import Proxy

@Suite("Recovery decision")
struct RecoveryDecisionTests {
    private static func facts(
        _ policy: SessionLossPolicy = .always, recorded: Bool = true, dirty: Bool = false, underWay: Bool = false,
        place: Bool = true, moved: Bool = false, budget: Bool = true
    ) -> RecoveryDecision.Facts {
        RecoveryDecision.Facts(
            policy: policy, isRecorded: recorded, isDirty: dirty, isUnderWay: underWay, hasPlace: place,
            hasMoved: moved, hasBudget: budget)
    }

    private static let table: [(LostRequest, RecoveryDecision.Facts, RecoveryDecision)] = [
        (.call, facts(), .start), (.call, facts(.clean), .start), (.call, facts(.never), .giveUp(.off)),
        (.call, facts(.clean, dirty: true), .giveUp(.dirty)), (.call, facts(dirty: true), .start),
        (.call, facts(recorded: false), .giveUp(.unknown)), (.call, facts(.never, recorded: false), .giveUp(.off)),
        (.call, facts(budget: false), .giveUp(.budget)), (.call, facts(underWay: true), .wait),
        (.call, facts(underWay: true, place: false), .giveUp(.crowded)), (.call, facts(moved: true), .follow),
        (.call, facts(underWay: true, moved: true), .follow), (.call, facts(moved: true, budget: false), .follow),
        (.message, facts(), .swallow), (.message, facts(moved: true), .swallow),
        (.message, facts(underWay: true, place: false), .swallow), (.message, facts(.never), .giveUp(.off)),
        (.message, facts(.clean, dirty: true), .giveUp(.dirty)), (.message, facts(budget: false), .giveUp(.budget)),
        (.deletion, facts(), .giveUp(.off)), (.deletion, facts(moved: true), .giveUp(.off)),
        (.recovered, facts(), .giveUp(.off)), (.recovered, facts(moved: true), .giveUp(.off)),
    ]

    @Test("each set of facts leads to one thing", arguments: table.indices)
    func decides(index: Int) {
        let (request, facts, decision) = Self.table[index]
        #expect(RecoveryDecision(request, facts) == decision)
    }

    @Test("eight recoveries at once, and one in ten seconds in the long run, however many there were before")
    func budget() {
        var state = RecoveryState()
        var now = Instant(nanoseconds: 0) + .seconds(1)
        for _ in 0..<300 {
            for _ in 0..<8 {
                #expect(state.allowsMore(at: now))
                state.noteRecovered(at: now)
            }
            #expect(!state.allowsMore(at: now))
            #expect(!state.allowsMore(at: now + .milliseconds(9_999)))
            #expect(state.allowsMore(at: now + .seconds(10)))
            state.noteRecovered(at: now + .seconds(10))
            #expect(!state.allowsMore(at: now + .seconds(10)))
            now = now + .seconds(90)
        }
    }
}
