import Kernel

/// Reads what is wrong now out of samples, one after the other.
struct AlertConditions: Sendable {
    /// What an alert is for.
    struct Key: Hashable, Sendable {
        let rule: AlertRule
        let subject: String
    }

    private var tools = CounterWindow<String>()
    private var upstreams = CounterWindow<String>()
    private var limit: Interval?

    /// What is wrong, each with a sentence.
    mutating func check(_ sample: AlertSample, _ thresholds: AlertThresholds) -> [Key: String] {
        var wrong: [Key: String] = [:]
        checkTools(sample, thresholds, &wrong)
        checkErrors(sample, thresholds, &wrong)
        checkUpstreams(sample, thresholds, &wrong)
        checkUsage(sample, thresholds, &wrong)
        checkCertificates(sample, thresholds, &wrong)
        return wrong
    }

    private mutating func checkTools(
        _ sample: AlertSample, _ thresholds: AlertThresholds, _ wrong: inout [Key: String]
    ) {
        // Slow calls were counted by the limit of then.
        if limit != thresholds.toolP95 { tools = CounterWindow() }
        limit = thresholds.toolP95
        guard let limit else { return }
        var counts: [String: CounterWindow<String>.Count] = [:]
        for tool in sample.tools {
            counts["\(tool.upstream)/\(tool.name)"] = CounterWindow.Count(all: tool.calls, bad: tool.slow)
        }
        for (tool, count) in tools.grow(to: counts, at: sample.at, window: thresholds.window) {
            // More than 5 of 100 calls are slower: then the 95th percentile is.
            guard count.all >= thresholds.fewestCalls, count.bad * 20 > count.all else { continue }
            wrong[Key(rule: .toolSlow, subject: tool)] =
                "\(Self.percent(count)) of \(count.all) calls of \(tool) took longer than \(Self.text(limit))"
        }
    }

    private mutating func checkErrors(
        _ sample: AlertSample, _ thresholds: AlertThresholds, _ wrong: inout [Key: String]
    ) {
        var counts: [String: CounterWindow<String>.Count] = [:]
        for upstream in sample.upstreams {
            counts[upstream.name] = CounterWindow.Count(all: upstream.calls, bad: upstream.failed)
        }
        for (upstream, count) in upstreams.grow(to: counts, at: sample.at, window: thresholds.window) {
            guard let rate = thresholds.errorRate, count.all >= thresholds.fewestCalls,
                Double(count.bad) > rate * Double(count.all)
            else { continue }
            wrong[Key(rule: .errors, subject: upstream)] =
                "\(Self.percent(count)) of \(count.all) calls of upstream \(upstream) failed"
        }
    }

    private func checkUpstreams(
        _ sample: AlertSample, _ thresholds: AlertThresholds, _ wrong: inout [Key: String]
    ) {
        for upstream in sample.upstreams {
            if thresholds.waiting != nil, upstream.waiting > 0 {
                wrong[Key(rule: .waiting, subject: upstream.name)] =
                    "\(upstream.waiting) calls wait for connections to servers of upstream \(upstream.name)"
            }
            if upstream.catalogsDiffer {
                wrong[Key(rule: .catalogSkew, subject: upstream.name)] =
                    "servers of upstream \(upstream.name) list different tools"
            }
            if upstream.servers > 0, upstream.available == 0 {
                wrong[Key(rule: .noServer, subject: upstream.name)] =
                    "none of \(upstream.servers) servers of upstream \(upstream.name) is healthy and takes new sessions"
            }
        }
    }

    private func checkUsage(_ sample: AlertSample, _ thresholds: AlertThresholds, _ wrong: inout [Key: String]) {
        if let memory = sample.memory, let share = thresholds.memory, Self.isAbove(memory, share) {
            wrong[Key(rule: .memory, subject: "")] =
                "\(memory.used >> 20) MiB of memory are in use, \(memory.limit >> 20) MiB may be"
        }
        guard let share = thresholds.connections else { return }
        for listener in sample.connections where Self.isAbove(listener, share) {
            wrong[Key(rule: .connections, subject: listener.name)] =
                "listener \(listener.name) has \(listener.used) connections, \(listener.limit) may be open"
        }
    }

    private func checkCertificates(
        _ sample: AlertSample, _ thresholds: AlertThresholds, _ wrong: inout [Key: String]
    ) {
        guard let least = thresholds.certificate else { return }
        for certificate in sample.certificates
        where certificate.secondsLeft < Int64(clamping: least.nanoseconds / 1_000_000_000) {
            let days = certificate.secondsLeft / 86_400
            wrong[Key(rule: .certificate, subject: certificate.name)] =
                certificate.secondsLeft < 0
                ? "certificate \(certificate.name) has ended"
                : "certificate \(certificate.name) ends in \(days == 0 ? "less than a day" : "\(days) days")"
        }
    }

    private static func isAbove(_ usage: AlertSample.Usage, _ share: Double) -> Bool {
        usage.limit > 0 && Double(usage.used) > share * Double(usage.limit)
    }

    private static func percent(_ count: CounterWindow<String>.Count) -> String {
        let tenths = (count.bad * 1_000 + count.all / 2) / max(1, count.all)
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }

    private static func text(_ interval: Interval) -> String {
        let milliseconds = interval.nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
