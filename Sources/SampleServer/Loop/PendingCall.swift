import Kernel
import Reactor

/// Where and how the answer to a call is sent.
struct AnswerDestination {
    enum Form {
        /// As the body of the POST's response.
        case json
        /// As the last event of the POST's response, which is an event stream.
        case events
        /// As an event on the stream of an HTTP+SSE session. The POST was answered with 202.
        case legacy
    }

    /// The connection that it is sent on.
    let connection: Handle
    let form: Form
    /// The session id for the response's head; nil if the head has none.
    let session: SessionID?
    let isStateless: Bool
}

/// A tool call that is answered later.
struct PendingCall {
    enum Work {
        case sleep(milliseconds: UInt64)
        case count(next: UInt64, to: UInt64, intervalMilliseconds: UInt64)
    }

    var work: Work
    /// The time of its next step.
    var due: Instant
    let destination: AnswerDestination
    /// The request's id and the progress token as sent.
    let id: [UInt8]
    let progressToken: [UInt8]?
}
