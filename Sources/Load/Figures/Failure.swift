/// Why a call got no response that could be checked.
enum Failure: Hashable {
    case refused
    /// The socket could not be created or connected for another reason than ECONNREFUSED; the errno.
    case unreachable(CInt)
    case reset
    /// HTTP/2: RST_STREAM was received; the error code of RFC 9113 section 7.
    case streamReset(UInt32)
    /// HTTP/2: GOAWAY with an error was received; its error code.
    case goAway(UInt32)
    /// The peer closed the connection before the response was complete.
    case closed
    case timedOut
    case handshake
    /// A status that is no success.
    case status(UInt16)
    /// The call was answered with a JSON-RPC error; its code if that is a reserved one.
    case rpcError(Int16?)
    /// The tool's result has `isError`.
    case toolError
    /// The response was not valid HTTP.
    case unreadable
    /// The response was larger than `Engine.answerLimit`.
    case tooLarge
    /// Open loop: the call was due, but was not sent within the timeout for lack of capacity.
    case notSent
    /// The server no longer knows the session.
    case lostSession
    /// The server ended an event stream.
    case streamEnded
    /// An event stream is open, but has brought no event recently.
    case silent

    /// The failure in words, as reports print it.
    var text: String {
        switch self {
        case .refused: "connection refused"
        case .unreachable(let code): "cannot connect: \(errnoText(code))"
        case .reset: "connection reset"
        case .streamReset(let code): "stream reset, code \(code)"
        case .goAway(let code): "GOAWAY, code \(code)"
        case .closed: "connection closed"
        case .timedOut: "timed out"
        case .handshake: "TLS handshake failed"
        case .status(let status): "HTTP \(status)"
        case .rpcError(let code): "JSON-RPC error" + (code.map { " \($0)" } ?? "")
        case .toolError: "tool error"
        case .unreadable: "not HTTP"
        case .tooLarge: "answer too large"
        case .notSent: "too many calls waiting"
        case .lostSession: "session lost"
        case .streamEnded: "stream ended"
        case .silent: "stream fell silent"
        }
    }
}
