/// `[alerts]`: when the alerts of the admin address fire. Nil: that one never does.
package struct AlertsConfiguration: Sendable, Equatable {
    /// How far the rates of calls look back.
    package var window = Duration.seconds(300)
    /// What 95 of 100 calls of a tool may take; one of `limits`.
    package var toolP95: Duration? = .seconds(5)
    /// The share of an upstream's calls that may fail, 0 to 1.
    package var errorRate: Double? = 0.05
    /// How long calls may wait for connections, one after the other.
    package var waiting: Duration? = .seconds(60)
    /// The share of the memory that may be in use, 0 to 1.
    package var memory: Double? = 0.8
    /// The share of a listener's connections that may be open, 0 to 1.
    package var connections: Double? = 0.8
    /// For how long certificates must still be valid.
    package var certificate: Duration? = .seconds(14 * 86_400)

    package init() {}

    /// What `tool_p95` may be: the bounds of the histograms of calls, since no others can be counted by.
    package static let limits: [Duration] = [
        .milliseconds(100), .milliseconds(200), .milliseconds(500), .seconds(1), .seconds(2), .seconds(5), .seconds(10),
        .seconds(30), .seconds(60), .seconds(120), .seconds(300),
    ]
}
