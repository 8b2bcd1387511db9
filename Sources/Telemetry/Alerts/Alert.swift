package import Kernel

/// An alert for one thing: that a rule's condition holds for it, or did a short while ago.
package struct Alert: Sendable, Equatable {
    /// How far it is.
    package enum State: String, Sendable {
        /// The condition holds, but not for long enough.
        case pending
        /// It holds for long enough.
        case firing
        /// It fired, and the condition holds no more.
        case resolved
    }

    /// What it is for.
    package let rule: AlertRule
    /// What has the problem: an upstream, `upstream/tool`, a listener, a certificate; empty: the process.
    package let subject: String
    /// How far it is.
    package var state: State
    /// Since when it is so.
    package var since: Instant
    /// What is wrong, in a sentence; of one that is resolved what was.
    package var message: String
}
