/// Why a call never became an answer.
enum Failure: Hashable {
    case refused
    /// The socket could not be made or connected for another reason: errno.
    case unreachable(CInt)
    case reset
    /// HTTP/2: RST_STREAM, or GOAWAY with an error; the error code of RFC 9113 section 7.
    case streamReset(UInt32)
    case goAway(UInt32)
    /// The peer closed before the answer was complete.
    case closed
    case timedOut
    case handshake
    case status(UInt16)
    /// What came was not HTTP.
    case unreadable
    case tooLarge
    /// It was due, but too many others were waiting to be sent.
    case crowded
    /// A session that nobody knows any more.
    case lostSession
    /// An event stream that ended.
    case streamEnded

    var text: String {
        switch self {
        case .refused: "connection refused"
        case .unreachable(let code): "cannot connect: \(systemText(code))"
        case .reset: "connection reset"
        case .streamReset(let code): "stream reset, code \(code)"
        case .goAway(let code): "GOAWAY, code \(code)"
        case .closed: "connection closed"
        case .timedOut: "timed out"
        case .handshake: "TLS handshake failed"
        case .status(let status): "HTTP \(status)"
        case .unreadable: "not HTTP"
        case .tooLarge: "answer too large"
        case .crowded: "too many calls waiting"
        case .lostSession: "session lost"
        case .streamEnded: "stream ended"
        }
    }
}
