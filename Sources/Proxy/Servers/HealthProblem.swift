import Kernel

/// Why a check of a server failed, or a connection to it could not be opened, in the words of the log.
enum HealthProblem: Equatable {
    /// The server's name has no address.
    case unresolved
    /// The errno of a connection that could not be opened.
    case connect(CInt)
    /// No connection, within this time.
    case connectTimedOut(Interval)
    /// The TLS handshake failed, or took longer than this.
    case handshake
    case handshakeTimedOut(Interval)
    /// A request was answered with a status that is not expected.
    case status(UInt16)
    /// The body of the answer does not have the text that is expected.
    case unexpectedBody
    /// A request was not answered in this time.
    case noAnswer(Interval)
    /// The connection ended before there was an answer.
    case closed
    /// What came is no HTTP response.
    case invalidAnswer
    /// What came is no response of MCP.
    case notMCP

    /// `request`: the check's, as in "GET /healthz".
    func text(request: String) -> String {
        switch self {
        case .unresolved: "its name does not resolve"
        case .connect(let code): ErrorNumber.text(code)
        case .connectTimedOut(let limit): "no connection in \(limit.text)"
        case .handshake: "the TLS handshake failed"
        case .handshakeTimedOut(let limit): "no TLS handshake in \(limit.text)"
        case .status(let status): "\(request) answered \(status)"
        case .unexpectedBody: "\(request): the body is not as expected"
        case .noAnswer(let limit): "\(request): no answer in \(limit.text)"
        case .closed: "\(request): the connection ended before an answer"
        case .invalidAnswer: "\(request): the answer is not HTTP"
        case .notMCP: "\(request): the answer is not MCP's"
        }
    }
}

extension HealthCheckPlan {
    /// What its checks ask, in the words of the log.
    var requestText: String { "\(kind == .mcp ? "POST" : "GET") \(String(decoding: path, as: UTF8.self))" }
}

extension Interval {
    /// "2s", "1500ms".
    var text: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }
}
