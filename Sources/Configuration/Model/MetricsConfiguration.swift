/// `[metrics]`: what `/metrics` may grow to.
package struct MetricsConfiguration: Sendable, Equatable {
    /// Tools, and prompts, of each upstream that are counted by name, 0...2,000; more are counted together.
    package var maximumTools = 200

    package init() {}
}
