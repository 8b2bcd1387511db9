import Load

/// What runs are called side by side: their names, and where two share one, what tells them apart.
enum RunLabels {
    static func labels(of runs: [RunFigures]) -> [String] {
        var labels = runs.map { $0.plan.name.isEmpty ? $0.plan.workload : $0.plan.name }
        let traits: [(RunFigures) -> String] = [
            { $0.plan.workload }, { $0.plan.transport }, { $0.plan.loadText }, { $0.plan.rateText }, { $0.plan.url },
        ]
        for trait in traits {
            for twins in twins(in: labels) where Set(twins.map { trait(runs[$0]) }).count > 1 {
                for index in twins { labels[index] += ", \(trait(runs[index]))" }
            }
        }
        for twins in twins(in: labels) {
            for (number, index) in twins.enumerated() { labels[index] += " #\(number + 1)" }
        }
        return labels
    }

    /// Indices of labels that are the same, group by group in the order of the runs.
    private static func twins(in labels: [String]) -> [[Int]] {
        var groups: [String: [Int]] = [:]
        for (index, label) in labels.enumerated() { groups[label, default: []].append(index) }
        return groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }
}
