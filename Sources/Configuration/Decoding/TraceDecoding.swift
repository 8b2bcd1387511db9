extension TraceConfiguration {
    /// Nil if the file has no `trace`, or one without a valid collector, which is reported.
    init?(from reader: consuming TableReader) {
        let collector = reader.collector("otlp")
        let ratio = reader.share("ratio", of: "the traces", default: 0.01)
        reader.finish()
        guard let collector else {
            if let range = reader.range, !reader.has("otlp") {
                reader.report(
                    range, "trace has no otlp", because: "the spans of calls would have nowhere to go",
                    help: "trace = { otlp = \"http://127.0.0.1:4318\" }")
            }
            return nil
        }
        self = collector
        self.ratio = ratio
    }
}

extension TableReader {
    /// Reads the base URL of a collector: `http://host:port`, perhaps with a path.
    fileprivate mutating func collector(_ key: String) -> TraceConfiguration? {
        guard let (text, entry) = text(key) else { return nil }
        guard text.hasPrefix("http://") else {
            reportScheme(text, entry)
            return nil
        }
        let rest = text.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        let isPlain = path.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        guard isPlain else {
            reportCollector(entry, "the path has a character that no path of a collector has")
            return nil
        }
        if path.hasSuffix("/v1/traces") {
            let base = text.dropLast(path.count - path.dropLast("/v1/traces".count).count)
            reportCollector(
                entry, "it is the base address, behind which Berth adds \"/v1/traces\" itself", help: String(base))
            return nil
        }
        guard let address = collectorAddress(String(authority), entry) else { return nil }
        return TraceConfiguration(host: address.host, port: address.port, path: String(path))
    }

    private func collectorAddress(_ text: String, _ entry: LocatedTable.Entry) -> HostAndPort? {
        do throws(HostAndPort.ParseError) {
            let parts = try HostAndPort(text)
            let address = IPAddressText(parts.host)
            guard parts.port != 0, address != nil || (!parts.isBracketed && HostAndPort.isHostName(parts.host)) else {
                reportCollector(entry, "\(TOMLText.quoted(text)) is neither a host nor an IP address with a port")
                return nil
            }
            return parts
        } catch .noPort {
            reportCollector(
                entry, "it has no port; collectors take OTLP over HTTP at 4318", help: "http://\(text):4318")
        } catch .badPort(let port) {
            reportCollector(entry, "\(TOMLText.quoted(port)) is not a port: those are 1 to 65535")
        } catch {
            reportCollector(entry, "\(TOMLText.quoted(text)) is neither a host nor an IP address with a port")
        }
        return nil
    }

    private func reportScheme(_ text: String, _ entry: LocatedTable.Entry) {
        if text.hasPrefix("https://") {
            findings.report(
                entry.value.range, "\(quote(entry)) is not available in this version",
                because: "spans go to the collector in plain HTTP",
                help: "run a collector beside Berth, and have it speak TLS with the one further on")
            return
        }
        let bare = text.prefix { $0 != "/" }
        let isAddress = !bare.isEmpty && !text.contains("://")
        reportCollector(entry, "a collector is known by its URL", help: isAddress ? "http://\(text)" : nil)
    }

    private func reportCollector(_ entry: LocatedTable.Entry, _ reason: String, help: String? = nil) {
        findings.report(
            entry.value.range, "\(quote(entry)) is not the address of a collector", because: reason,
            help: help.map { "\(entry.name) = \(TOMLText.quoted($0))" })
    }

    /// Reads a share of one, such as 0.01. `whole`: what it is a share of.
    mutating func share(
        _ key: String, of whole: String, default fallback: Double, example: String = "0.01 for one in a hundred"
    ) -> Double {
        note(key, .share)
        guard let entry = take(key) else { return fallback }
        let share: Double
        switch entry.value.content {
        case .float(let value): share = value
        case .integer(let value): share = Double(value)
        default:
            wrongType(entry, "a share", "\(key) is a share of \(whole), such as \(example)")
            return fallback
        }
        guard share >= 0, share <= 1 else {
            findings.report(
                entry.value.range, "\(quote(entry)) is out of range",
                because: "\(key) is a share of \(whole), 0.0 to 1.0",
                help: share > 1 && share <= 100 ? "\(key) = \(share / 100)" : nil)
            return fallback
        }
        return share
    }
}
