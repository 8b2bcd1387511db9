import Configuration

/// Why a session was not recovered.
package enum RecoveryFailure: UInt8, CaseIterable, Sendable {
    /// `session.on_lost = "never"`.
    case off
    /// It was not opened through this Berth, or by something that could not be kept.
    case unknown
    /// It may hold state that only its server had.
    case dirty
    /// It was recovered too often.
    case budget
    /// Too many requests wait for its recovery.
    case crowded
    /// No other server could be asked.
    case noServer
    /// Another server did not open a session.
    case refused
    /// Another server is not what the session's was.
    case differs
    /// It took too long.
    case timedOut

    /// It may work in a moment: the client must not be told that the session is gone.
    var isTemporary: Bool {
        switch self {
        case .crowded, .noServer, .timedOut: true
        case .off, .unknown, .dirty, .budget, .refused, .differs: false
        }
    }
}

/// What a lost session's request is, as far as its recovery depends on it.
enum LostRequest: Equatable, Sendable {
    /// Waits for an answer: worth a recovery.
    case call
    /// Answers, or tells of, something that went with the server: nobody waits for it any more.
    case message
    /// Ends the session.
    case deletion
    /// Was recovered for before: once is enough.
    case recovered
}

/// What is done about a request whose session is lost.
enum RecoveryDecision: Equatable, Sendable {
    /// Recover the session, and send the request on then.
    case start
    /// Wait for the recovery that is under way.
    case wait
    /// Accept the message, and do nothing with it.
    case swallow
    /// The session has moved to another server meanwhile: send the request there.
    case follow
    /// Leave the session lost.
    case giveUp(RecoveryFailure)

    /// What is known of a lost session.
    struct Facts {
        var policy: SessionLossPolicy
        /// It is known how it was opened, and what its server said.
        var isRecorded: Bool
        var isDirty: Bool
        var isUnderWay: Bool
        /// Another request may wait for the recovery that is under way.
        var hasPlace: Bool
        /// It is on another server than the one that was asked for this request, or has another id there.
        var hasMoved: Bool
        var hasBudget: Bool
    }

    /// Decides. Of several reasons against a recovery, the one that an operator can do most about is given.
    init(_ request: LostRequest, _ facts: Facts) {
        switch request {
        case .deletion, .recovered: self = .giveUp(.off)
        case .call, .message:
            if facts.hasMoved {
                self = request == .call ? .follow : .swallow
            } else if facts.isUnderWay {
                self = request == .message ? .swallow : facts.hasPlace ? .wait : .giveUp(.crowded)
            } else if let reason = Self.reason(facts) {
                self = .giveUp(reason)
            } else {
                self = request == .message ? .swallow : .start
            }
        }
    }

    private static func reason(_ facts: Facts) -> RecoveryFailure? {
        if facts.policy == .never { return .off }
        if !facts.isRecorded { return .unknown }
        if facts.policy == .clean, facts.isDirty { return .dirty }
        return facts.hasBudget ? nil : .budget
    }
}
