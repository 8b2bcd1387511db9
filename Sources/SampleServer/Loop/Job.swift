import Kernel
import Reactor

/// How an answer travels.
struct Return {
    enum Form {
        /// The body of the POST's response.
        case json
        /// The event stream that is the POST's response; it ends with the answer.
        case events
        /// An event on the stream of a legacy session; the POST got its 202 already.
        case legacy
    }

    /// The connection that carries it.
    let connection: Handle
    let form: Form
    /// Echoed in the head. Nil where there is none, or it does not belong in a head.
    let session: SessionID?
    let isStateless: Bool
}

/// A call that is answered later.
struct Job {
    enum Work {
        case sleep(milliseconds: UInt64)
        case count(next: UInt64, to: UInt64, intervalMilliseconds: UInt64)
    }

    var work: Work
    /// When its next step is.
    var due: Instant
    let destination: Return
    /// The request's id and the progress token as sent.
    let id: [UInt8]
    let progressToken: [UInt8]?
}
