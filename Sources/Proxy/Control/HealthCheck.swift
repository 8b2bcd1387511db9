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
    /// What has come of the response's body.
    var body = CheckBody()

    enum Step: UInt8 {
        case connecting, handshaking
        /// The request was sent.
        case waiting
        /// The response's head was read, and its body is awaited.
        case reading
    }
}

/// What came of a health check.
enum HealthCheckResult {
    case passed
    case failed(HealthProblem)
}
