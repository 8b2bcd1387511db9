extension HealthCheckConfiguration {
    /// Without a host of their own, checks send the fixed host of the upstream's requests: a server that accepts only
    /// that host would seem unhealthy otherwise.
    init(from reader: consuming TableReader, host policy: HostPolicy) {
        self.init()
        let type = reader.choice("type", default: CheckType.tcp, explaining: CheckType.explanation)
        let path = reader.checkPath(isEndpoint: type == .mcp)
        var host = reader.checkHost()
        if host == nil, case .fixed(let name) = policy { host = name }
        interval = reader.duration(
            "interval", in: .milliseconds(100) ... .seconds(3_600), default: interval,
            cannotBeOff: "a server that came back would never be found")
        timeout = reader.duration("timeout", in: .milliseconds(10) ... .seconds(3_600), default: timeout)
        rise = reader.integer("rise", in: 1...100, default: rise)
        fall = reader.integer("fall", in: 1...100, default: fall)
        panicThreshold = reader.integer(
            "panic_threshold", in: 0...100, default: panicThreshold, ", in percent; 0 never tries a server that is down"
        )
        onDown = reader.choice("on_down", default: onDown, aliases: ["ignore": .keep, "abort": .close, "end": .close])
        expectation = HealthCheckExpectation(from: reader.table("expect"))
        slowStart = reader.durationOrOff(
            "slow_start", in: .seconds(1) ... .seconds(3_600), default: slowStart)
        if type == .http, let path { kind = .http(path: path, host: host) }
        if type == .mcp { kind = .mcp(path: path ?? "/mcp", host: host) }
        reader.checkKind(type, path: path)
        reader.checkTimes(interval: interval, timeout: timeout)
        reader.finish()
    }

    fileprivate enum CheckType: String, CaseIterable {
        case tcp, http, mcp

        static func explanation(of text: String) -> TableReader.Explanation? {
            switch text.lowercased() {
            case "off", "none":
                TableReader.Explanation(
                    verdict: "is not possible", reason: "a server that is down would get its share of new sessions",
                    help: "type = \"tcp\" only connects: the least that can be asked")
            default: nil
            }
        }
    }
}

extension HealthCheckExpectation {
    /// Bytes of `body`, at most; what it is looked for in has 64 KiB.
    private static var longestBody: Int { 256 }

    fileprivate init(from reader: consuming TableReader) {
        self.init()
        if let (text, entry) = reader.text("status") {
            if let ranges = StatusRangesText.parse(text) {
                status = ranges
            } else {
                reader.findings.report(
                    entry.value.range, "\(reader.quote(entry)) names no status codes",
                    because: "status is a list of codes and ranges from 200 to 599, such as \"200-299\" or \"200,204\"",
                    help: text.lowercased() == "2xx" ? "status = \"200-299\"" : nil)
            }
        }
        if let (text, entry) = reader.text("body") {
            if text.utf8.count <= Self.longestBody {
                body = text
            } else {
                reader.findings.report(
                    entry.value.range, "\(reader.quote(entry)) is too long",
                    because: "body is a text of at most 256 bytes that must stand in the response's body")
            }
        }
        reader.finish()
    }
}

extension TableReader {
    fileprivate mutating func checkPath(isEndpoint: Bool) -> String? {
        guard let (text, entry) = text("path") else { return nil }
        guard text.hasPrefix("/"), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a path",
                because: "a path begins with \"/\" and has no blanks",
                help: text.hasPrefix("/") ? nil : "path = \"/\(text)\"")
            return nil
        }
        let endpoint = text.prefix { $0 != "?" }.lowercased()
        if !isEndpoint, ["/mcp", "/mcp/", "/sse", "/sse/"].contains(endpoint) {
            findings.report(
                entry.value.range, "\(quote(entry)) would check the MCP endpoint itself",
                because: "a request without a session opens a new one, or a stream without end, on every check",
                help: "check a page of its own such as \"/healthz\", or use type = \"mcp\", which keeps one session")
            return nil
        }
        return text
    }

    fileprivate mutating func checkHost() -> String? {
        guard let (text, entry) = text("host") else { return nil }
        guard Self.isHostField(text) else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a Host",
                because: "the Host of a check is a name with an optional port, such as \"localhost:3001\"")
            return nil
        }
        return text
    }

    fileprivate func checkKind(_ kind: HealthCheckConfiguration.CheckType, path: String?) {
        switch kind {
        case .http:
            guard path == nil, !has("path"), let entry = entry("type") else { return }
            findings.report(
                entry.value.range, "\(quote(entry)) without a path",
                because: "an HTTP check asks for a page of the server",
                help: "path = \"/healthz\"")
        case .mcp:
            guard let entry = entry("expect") else { return }
            findings.report(
                entry.key, "\"expect\" without type = \"http\"",
                because: "an mcp check knows what a server of MCP answers", help: "type = \"http\"")
        case .tcp:
            // With an invalid type, the keys that belong to it are unknown.
            if let entry = entry("type"), findings.hasError(in: entry.value.range) { return }
            guard let entry = entry("path") ?? entry("host") ?? entry("expect") else { return }
            findings.report(
                entry.key, "\(TOMLText.quoted(entry.name)) without type = \"http\"",
                because: "a tcp check only connects, so it would do nothing", help: "type = \"http\"")
        }
    }

    fileprivate func checkTimes(interval: Duration, timeout: Duration) {
        guard timeout > interval, let entry = entry("timeout") ?? entry("interval") else { return }
        let other = entry.name == "timeout" ? ("interval", interval) : ("timeout", timeout)
        let otherText = "\(other.0) is \"\(DurationText.text(other.1))\"\(has(other.0) ? "" : " by default")"
        findings.report(
            entry.value.range, "\(quote(entry)) makes checks overlap",
            because: "\(otherText), and a check must end before the next one begins")
    }
}
