import Logging
import Telemetry

extension LogReport {
    /// Says it in the log of the process.
    func write(to log: Logger) {
        if isError { log.error("\(text)") } else { log.notice("\(text)") }
    }
}
