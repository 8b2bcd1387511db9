import Kernel
import Reactor

/// The state of one server's health check.
struct HealthCheck {
    /// The server whose check this is.
    let server: ServerID
    /// The connection of the check that is under way.
    var connection = Handle.none
    /// How far that is.
    var step = Step.connecting
    /// What has come of the response: its head, as far as it matters, and its body.
    var response = CheckResponse()
    /// What an mcp check keeps.
    var mcp = MCPCheck()
    /// The server is not checked any more: what it keeps for the checks is being ended.
    var isEnding = false

    enum Step: UInt8 {
        case connecting, handshaking
        /// The request was sent.
        case waiting
        /// The response's head was read, and its body is awaited.
        case reading
    }
}

/// What has come of the response to a check.
struct CheckResponse {
    var status: UInt16 = 0
    var sessionID: [UInt8]?
    var isEventStream = false
    var body = CheckBody()
}

/// What came of a health check.
enum HealthCheckResult {
    case passed
    case failed(HealthProblem)
}
