package import Configuration
import Kernel
package import Telemetry

extension AlertThresholds {
    /// The thresholds of a configuration.
    package init(_ configuration: AlertsConfiguration) {
        self.init()
        window = Interval(configuration.window)
        toolP95 = configuration.toolP95.map { Interval($0) }
        errorRate = configuration.errorRate
        waiting = configuration.waiting.map { Interval($0) }
        memory = configuration.memory
        connections = configuration.connections
        certificate = configuration.certificate.map { Interval($0) }
    }
}
