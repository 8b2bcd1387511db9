extension TableReader {
    /// `access_log`; nil if there is none.
    mutating func accessLog() -> AccessLogConfiguration? {
        var reader = table("access_log")
        let destination = reader.logDestination()
        var log = AccessLogConfiguration(destination: destination ?? .standardOutput)
        log.style = reader.logStyle()
        log.slow = reader.durationOrOff("slow", default: log.slow)
        log.sample = reader.sample()
        reader.finish()
        return destination.map { _ in log }
    }

    /// `slow_log`; nil if there is none.
    mutating func slowLog() -> SlowLogConfiguration? {
        var reader = table("slow_log")
        let destination = reader.logDestination()
        var log = SlowLogConfiguration(destination: destination ?? .standardOutput)
        log.style = reader.logStyle()
        log.over = reader.duration(
            "over", default: log.over, cannotBeOff: "then no call would be slow: leave slow_log out instead")
        reader.finish()
        return destination.map { _ in log }
    }

    /// `audit_log`; nil if there is none.
    mutating func auditLog() -> AuditLogConfiguration? {
        var reader = table("audit_log")
        let destination = reader.logDestination()
        reader.finish()
        return destination.map { AuditLogConfiguration(destination: $0) }
    }

    private mutating func logStyle() -> LogStyle {
        choice(
            "format", default: .json,
            aliases: [
                "jsonl": .json, "ndjson": .json, "combined": .text, "common": .text, "clf": .text, "plain": .text,
            ])
    }

    /// A share of the calls, 0 to 1.
    private mutating func sample() -> Double {
        note("sample", .share)
        guard let entry = take("sample") else { return 1 }
        let share: Double
        switch entry.value.content {
        case .float(let value): share = value
        case .integer(let value): share = Double(value)
        default:
            wrongType(entry, "a share", "sample is a share of the calls, such as 0.1 for one in ten")
            return 1
        }
        guard share >= 0, share <= 1 else {
            findings.report(
                entry.value.range, "\(quote(entry)) is out of range",
                because: "sample may be 0 to 1; calls that failed or were slow are logged whatever it is",
                help: share > 1 && share <= 100 ? "of a percentage: sample = \(share / 100)" : nil)
            return 1
        }
        return share
    }
}

// MARK: - Where it goes

extension TableReader {
    /// `path`, which every log needs; nil if the table is missing, or has none that can be used, which is reported.
    private mutating func logDestination() -> LogDestination? {
        guard let (text, entry) = text("path") else {
            if let range, !has("path") {
                findings.report(
                    range, "\(path.shown) has no path", because: "a log must go somewhere",
                    help: "path = \"stdout\", \"stderr\", \"syslog\", or a file")
            }
            return nil
        }
        switch text {
        case "stdout", "/dev/stdout": return .standardOutput
        case "stderr", "/dev/stderr": return .standardError
        case "syslog", "/dev/log": return .syslog
        case "off", "none", "false":
            findings.report(
                entry.value.range, "\(quote(entry)) is no place for a log",
                because: "a log that is off is one that the file does not have", help: "remove the table, or its line")
            return nil
        default: break
        }
        if text.hasPrefix("udp:") { return udpDestination(String(text.dropFirst(4)), entry) }
        if text.contains("://") || text.hasPrefix("syslog:") {
            findings.report(
                entry.value.range, "\(quote(entry)) is no place for a log",
                because: "path is a file, \"stdout\", \"stderr\", \"syslog\" or \"udp:127.0.0.1:514\"")
            return nil
        }
        return fileDestination(text, entry)
    }

    private func udpDestination(_ text: String, _ entry: LocatedTable.Entry) -> LogDestination? {
        guard let address = try? HostAndPort(text), address.port > 0, IPAddressText(address.host) != nil else {
            findings.report(
                entry.value.range, "\(quote(entry)) is no address of a log daemon",
                because:
                    "after \"udp:\" there is an IP address and a port, such as \"udp:127.0.0.1:514\": a name could not be "
                    + "looked up while calls are logged")
            return nil
        }
        return .udp(host: address.host, port: address.port)
    }

    private func fileDestination(_ written: String, _ entry: LocatedTable.Entry) -> LogDestination {
        let path = FilePath.resolve(written, besides: findings.source.file)
        guard findings.checks.files, let problem = FilePath.problem(appendingTo: path) else { return .file(path) }
        findings.report(
            entry.value.range, "\(path) cannot be written", because: problem,
            help: "make the folder and give it to the user that runs Berth")
        return .file(path)
    }
}
