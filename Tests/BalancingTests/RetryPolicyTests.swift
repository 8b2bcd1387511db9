import Balancing
import TestSupport
import Testing

@Suite("Retry policy")
struct RetryPolicyTests {
    static let post = RetryableRequest(isRepeatable: false, isWhole: true, isPinned: false)
    static let get = RetryableRequest(isRepeatable: true, isWhole: true, isPinned: false)
    static let streamed = RetryableRequest(isRepeatable: false, isWhole: false, isPinned: false)
    static let streamedGet = RetryableRequest(isRepeatable: true, isWhole: false, isPinned: false)
    static let pinned = RetryableRequest(isRepeatable: false, isWhole: true, isPinned: true)
    static let pinnedGet = RetryableRequest(isRepeatable: true, isWhole: true, isPinned: true)

    struct Row: Sendable {
        var failure: RequestFailure
        var request: RetryableRequest
        var attempts: UInt8
        var decision: RetryDecision
        var attemptsAfter: UInt8

        init(
            _ failure: RequestFailure, _ request: RetryableRequest, _ attempts: UInt8, _ decision: RetryDecision,
            _ attemptsAfter: UInt8
        ) {
            self.failure = failure
            self.request = request
            self.attempts = attempts
            self.decision = decision
            self.attemptsAfter = attemptsAfter
        }
    }

    static func connect(_ failure: ConnectFailure) -> RequestFailure { .connectFailed(failure) }

    static func lost(
        reused: Bool = true, received: Bool = false, _ receipt: RequestReceipt = .cannotHaveBeenRead
    ) -> RequestFailure {
        .connectionLost(isReused: reused, hasReceived: received, receipt)
    }

    static let connecting: [Row] = [
        // This machine's own fault: nobody else can help, and no session has ended.
        Row(connect(.ownFault), post, 0, .giveUp(.noServerAvailable), 1),
        Row(connect(.ownFault), pinned, 0, .giveUp(.noServerAvailable), 1),
        Row(connect(.ownFault), pinned, 2, .giveUp(.noServerAvailable), 3),
        // Pinned: there is no other server, and only a process that is certainly gone has lost the session.
        Row(connect(.dead), pinned, 0, .giveUp(.sessionNotFound), 0),
        Row(connect(.dead), pinnedGet, 0, .giveUp(.sessionNotFound), 0),
        Row(connect(.refused), pinned, 0, .retry(.sameServerLater), 0),
        Row(connect(.refused), pinnedGet, 2, .retry(.sameServerLater), 2),
        Row(connect(.other), pinned, 0, .giveUp(.sessionServerUnavailable), 1),
        Row(connect(.other), pinnedGet, 2, .giveUp(.sessionServerUnavailable), 3),
        // Unpinned: nothing was sent, so any request may move on, whole or not.
        Row(connect(.other), post, 0, .retry(.anotherServer), 1),
        Row(connect(.other), streamed, 1, .retry(.anotherServer), 2),
        Row(connect(.other), get, 1, .retry(.anotherServer), 2),
        Row(connect(.other), post, 2, .giveUp(.connectFailed), 3),
        Row(connect(.other), post, .max, .giveUp(.connectFailed), .max),
        // A refusal costs no time and is no attempt.
        Row(connect(.refused), post, 0, .retry(.anotherServer), 0),
        Row(connect(.refused), streamed, 2, .retry(.anotherServer), 2),
        Row(connect(.dead), post, 2, .retry(.anotherServer), 2),
        Row(connect(.refused), post, 3, .giveUp(.connectFailed), 3),
    ]

    static let sent: [Row] = [
        Row(lost(), post, 0, .retry(.anyServerNewConnection), 1),
        Row(lost(), post, 1, .retry(.anyServerNewConnection), 2),
        Row(lost(), post, 2, .giveUp(.connectionLost), 2),
        Row(lost(), pinned, 0, .retry(.sameServerNewConnection), 1),
        Row(lost(.mayHaveBeenRead), post, 0, .giveUp(.connectionLost), 0),
        Row(lost(.mayHaveBeenRead), pinned, 0, .giveUp(.connectionLost), 0),
        Row(lost(.mayHaveBeenRead), get, 0, .retry(.anyServerNewConnection), 1),
        Row(lost(.mayHaveBeenRead), pinnedGet, 1, .retry(.sameServerNewConnection), 2),
        Row(lost(.mayHaveBeenRead), get, 2, .giveUp(.connectionLost), 2),
        // What cannot be sent again, and what was answered in part.
        Row(lost(), streamed, 0, .giveUp(.connectionLost), 0),
        Row(lost(), streamedGet, 0, .giveUp(.connectionLost), 0),
        Row(lost(received: true), get, 0, .giveUp(.connectionLost), 0),
        Row(lost(received: true), post, 0, .giveUp(.connectionLost), 0),
        // A new connection: what nobody can have read did not kill it; what somebody may have read gets one more chance,
        // if doing it twice is doing it once.
        // That a new connection was closed proves nothing.
        Row(lost(reused: false), post, 0, .giveUp(.connectionLost), 0),
        Row(lost(reused: false), pinned, 0, .giveUp(.connectionLost), 0),
        Row(lost(reused: false), get, 0, .retry(.anotherServer), 1),
        Row(lost(reused: false), streamed, 0, .giveUp(.connectionLost), 0),
        Row(lost(reused: false, .mayHaveBeenRead), post, 0, .giveUp(.connectionLost), 0),
        Row(lost(reused: false, .mayHaveBeenRead), pinned, 0, .giveUp(.connectionLost), 0),
        Row(lost(reused: false, .mayHaveBeenRead), get, 0, .retry(.anotherServer), 1),
        Row(lost(reused: false, .mayHaveBeenRead), get, 1, .giveUp(.connectionLost), 1),
        Row(lost(reused: false, .mayHaveBeenRead), pinnedGet, 0, .retry(.sameServerNewConnection), 1),
        Row(lost(reused: false, .mayHaveBeenRead), pinnedGet, 1, .giveUp(.connectionLost), 1),
        Row(lost(reused: false, received: true, .mayHaveBeenRead), get, 0, .giveUp(.connectionLost), 0),
    ]

    /// A server says that it does not take the request. Who has been asked is the caller's to know.
    static let turnedAway: [Row] = [
        Row(.turnedAway, post, 0, .retry(.anotherServer), 1),
        Row(.turnedAway, get, 2, .retry(.anotherServer), 3),
        Row(.turnedAway, get, .max, .retry(.anotherServer), .max),
        Row(.turnedAway, pinned, 0, .giveUp(.turnedAway), 0),
        Row(.turnedAway, streamed, 0, .giveUp(.turnedAway), 0),
    ]

    @Test("decides by the table", arguments: connecting + sent + turnedAway)
    func table(row: Row) {
        var attempts = row.attempts
        var budget = RetryBudget.unlimited
        let decision = RetryPolicy().decide(
            row.failure, attempts: &attempts, of: row.request, budget: &budget, now: 0)
        #expect(decision == row.decision)
        #expect(attempts == row.attemptsAfter)
    }

    @Test(
        "an empty budget gives up what would be retried, and nothing else changes",
        arguments: connecting + sent + turnedAway)
    func emptyBudget(row: Row) {
        var attempts = row.attempts
        var budget = RetryBudget(percent: 0, minimumPerSecond: 0)
        let decision = RetryPolicy().decide(
            row.failure, attempts: &attempts, of: row.request, budget: &budget, now: 0)
        let reason: GiveUpReason? =
            switch row.failure {
            // Nobody has worked on what was refused, and nothing is sent twice.
            case .connectFailed(.refused), .connectFailed(.dead): nil
            case .connectFailed: .connectFailed
            case .connectionLost: .connectionLost
            case .turnedAway: .turnedAway
            }
        switch row.decision {
        case .retry: #expect(decision == reason.map { .giveUp($0) } ?? row.decision)
        case .giveUp: #expect(decision == row.decision)
        }
    }

    @Test("the receipt is needed exactly where it changes the decision")
    func receipt() {
        for bits in 0..<32 {
            let request = RetryableRequest(isRepeatable: bits & 1 != 0, isWhole: bits & 2 != 0, isPinned: bits & 4 != 0)
            let (isReused, hasReceived) = (bits & 8 != 0, bits & 16 != 0)
            for start in 0...4 as ClosedRange<UInt8> {
                let decisions = [RequestReceipt.cannotHaveBeenRead, .mayHaveBeenRead].map { receipt in
                    var attempts = start
                    var budget = RetryBudget.unlimited
                    return RetryPolicy().decide(
                        .connectionLost(isReused: isReused, hasReceived: hasReceived, receipt), attempts: &attempts,
                        of: request, budget: &budget, now: 0)
                }
                let isNeeded = RetryPolicy().needsReceipt(
                    request, isReused: isReused, hasReceived: hasReceived, attempts: start)
                #expect(isNeeded == (decisions[0] != decisions[1]))
            }
        }
    }

    @Test("no request is retried for ever, whatever fails and in whatever order", arguments: 0..<20 as Range<UInt64>)
    func bounded(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var attempts: UInt8 = 0
        var budget = RetryBudget.unlimited
        var (retries, refusals) = (0, 0)
        while true {
            let failure = [Self.connect(.other), Self.connect(.refused), Self.lost()].randomElement(using: &generator)
            let decision = RetryPolicy().decide(
                failure ?? Self.lost(), attempts: &attempts, of: Self.get, budget: &budget, now: 0)
            guard case .retry = decision else { break }
            retries += 1
            if failure == Self.connect(.refused) { refusals += 1 }
        }
        #expect(retries - refusals <= Int(RetryPolicy().retryLimit) + 1)
    }

    @Test(
        "with no retries allowed, only refused connections are made up for", arguments: connecting + sent + turnedAway)
    func off(row: Row) {
        var attempts = row.attempts
        var budget = RetryBudget.unlimited
        let decision = RetryPolicy(retryLimit: 0).decide(
            row.failure, attempts: &attempts, of: row.request, budget: &budget, now: 0)
        guard case .retry = decision else { return }
        switch row.failure {
        case .connectFailed(.refused), .connectFailed(.dead): break
        default: Issue.record("\(row.failure) was retried")
        }
    }
}
