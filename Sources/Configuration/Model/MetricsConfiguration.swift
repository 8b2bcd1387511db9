/// `[metrics]`: what `/metrics` may grow to.
package struct MetricsConfiguration: Sendable, Equatable {
    /// Whether calls are counted by method and tool. Without it a call is read only where a log, a trace or the admin address
    /// wants it.
    package var countsCalls = true
    /// Tools, and prompts, of each upstream that are counted by name, 0...2,000; more are counted together.
    package var maximumTools = 200

    package init() {}
}
