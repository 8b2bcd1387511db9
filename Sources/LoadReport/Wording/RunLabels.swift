import Load

/// The labels of runs side by side: their names, with what distinguishes those of the same name.
enum RunLabels {
    /// One distinct label for each run.
    static func labels(of runs: [RunFigures]) -> [String] {
        var labels = runs.map { $0.plan.name.isEmpty ? $0.plan.workload : $0.plan.name }
        let traits: [(RunFigures) -> String] = [
            { $0.plan.workload }, { $0.plan.transport }, { $0.plan.loadText }, { $0.plan.rateText }, { $0.plan.url },
        ]
        for trait in traits {
            for group in duplicates(in: labels) where Set(group.map { trait(runs[$0]) }).count > 1 {
                for index in group { labels[index] += ", \(trait(runs[index]))" }
            }
        }
        for group in duplicates(in: labels) {
            for (number, index) in group.enumerated() { labels[index] += " #\(number + 1)" }
        }
        return labels
    }

    /// The indices of equal labels, in groups, in the order of the runs.
    private static func duplicates(in labels: [String]) -> [[Int]] {
        var groups: [String: [Int]] = [:]
        for (index, label) in labels.enumerated() { groups[label, default: []].append(index) }
        return groups.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
    }
}
