/// What a metric is: its name, and what its numbers mean.
package struct MetricDefinition: Sendable, Equatable {
    /// How its numbers behave.
    package enum Kind: String, Sendable {
        /// A number that goes up and down.
        case gauge
        /// A number that only grows, until the process ends.
        case counter
        /// Numbers of durations by bucket, all of them and their sum, which only grow.
        case histogram
        /// Always 1: what matters are the labels.
        case info
    }

    /// The base unit of its numbers.
    package enum Unit: String, Sendable {
        case seconds, bytes
    }

    /// The name, without the suffixes of samples.
    package let name: String
    /// How its numbers behave.
    package let kind: Kind
    /// Nil: it counts things. The name ends with the unit.
    package let unit: Unit?
    /// What it tells, as a sentence without its full stop.
    package let help: String
    /// The names of its labels, in the order of their values.
    package let labels: [String]

    init(_ kind: Kind, _ name: String, _ unit: Unit, labels: [String] = [], _ help: String) {
        self.init(kind, name, unit: unit, labels: labels, help: help)
    }

    init(_ kind: Kind, _ name: String, labels: [String] = [], _ help: String) {
        self.init(kind, name, unit: nil, labels: labels, help: help)
    }

    private init(_ kind: Kind, _ name: String, unit: Unit?, labels: [String], help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.help = help
        self.labels = labels
    }

    /// The name as queries have it: a counter's ends with `_total`, that of an info with `_info`. A histogram has three, with
    /// `_bucket`, `_sum` and `_count`, behind this one.
    package var queryName: String {
        switch kind {
        case .counter: name + "_total"
        case .info: name + "_info"
        case .gauge, .histogram: name
        }
    }
}
