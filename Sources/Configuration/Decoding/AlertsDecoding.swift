extension AlertsConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        window = reader.duration(
            "window", in: .seconds(10) ... .seconds(3_600), default: window,
            cannotBeOff: "a rate is one over some time")
        toolP95 = reader.toolLimit("tool_p95", default: toolP95)
        errorRate = reader.shareOrOff("error_rate", of: "the calls", default: errorRate)
        waiting = reader.durationOrOff("waiting", in: .seconds(5) ... .seconds(3_600), default: waiting)
        memory = reader.shareOrOff("memory", of: "the memory", default: memory)
        connections = reader.shareOrOff("connections", of: "the connections", default: connections)
        certificate = reader.durationOrOff(
            "certificate", in: .seconds(3_600) ... .seconds(366 * 86_400), default: certificate)
        reader.finish()
    }
}

extension TableReader {
    /// Reads a duration that is one of the bounds of the histograms; nil for "off".
    fileprivate mutating func toolLimit(_ key: String, default fallback: Duration?) -> Duration? {
        let range = Duration.milliseconds(1) ... .seconds(3_600)
        let entry = self.entry(key)
        guard let limit = durationOrOff(key, in: range, default: fallback), let entry else {
            return entry == nil ? fallback : nil
        }
        guard AlertsConfiguration.limits.contains(limit) else {
            let known = AlertsConfiguration.limits.map(DurationText.text)
            findings.report(
                entry.value.range, "\(quote(entry)) is between two buckets",
                because: "calls are counted by buckets, and \(key) is one of their bounds: "
                    + Self.alternatives(known))
            return fallback
        }
        return limit
    }

    /// Reads a share of one, such as 0.05; nil for "off".
    fileprivate mutating func shareOrOff(_ key: String, of whole: String, default fallback: Double?) -> Double? {
        note(key, .off)
        var probe = self
        if let entry = probe.take(key), case .string("off") = entry.value.content {
            self = probe
            return nil
        }
        return share(key, of: whole, default: fallback ?? 0)
    }
}
