extension CacheConfiguration {
    /// The table that switches the cache on; nil if the file has none.
    static func read(from reader: consuming TableReader) -> CacheConfiguration? {
        var configuration = CacheConfiguration()
        configuration.methods = reader.methods() ?? configuration.methods
        configuration.tools = reader.cachedTools()
        configuration.sessionLists = reader.durationOrOff(
            "session_lists", in: .seconds(1) ... .seconds(86_400), default: nil)
        configuration.maximumTTL = reader.duration(
            "max_ttl", in: .seconds(1) ... .seconds(86_400), default: configuration.maximumTTL,
            cannotBeOff: "a server that claims a year would be believed")
        configuration.staleIfError = reader.durationOrOff(
            "stale_if_error", in: .seconds(1) ... .seconds(86_400), default: configuration.staleIfError)
        configuration.maximumBytes = reader.size(
            "max_bytes", in: (64 << 10)...(64 << 30), default: configuration.maximumBytes)
        configuration.listens = reader.flag("listen", default: configuration.listens)
        configuration.vary = reader.varyingFields()
        configuration.store = reader.store(orMemory: true)
        let isPresent = reader.range != nil
        reader.finish()
        return isPresent ? configuration : nil
    }
}

extension TableReader {
    /// The methods of the list; nil without one.
    fileprivate mutating func methods() -> [CacheConfiguration.Method]? {
        guard let (values, _) = list("methods") else { return nil }
        let names = CacheConfiguration.Method.allCases.map(\.rawValue)
        var methods: [CacheConfiguration.Method] = []
        for value in values {
            guard let text = plainText(value, quoted: "an entry of methods") else { continue }
            if let method = CacheConfiguration.Method(rawValue: text) {
                if !methods.contains(method) { methods.append(method) }
                continue
            }
            let isCall = text == "tools/call"
            findings.report(
                value.range, "\(TOMLText.quoted(text)) cannot be kept by its method",
                because: isCall
                    ? "only you know which tools answer the same to everybody"
                    : "servers say how long a result is good in those of \(Self.alternatives(names)) only",
                help: isCall
                    ? "tools = { \"get-weather\" = \"5m\" }"
                    : Suggestion.nearest(to: text, among: names).map { "did you mean \(TOMLText.quoted($0))?" })
        }
        return methods
    }

    /// The tools that the operator names, each with a duration.
    fileprivate mutating func cachedTools() -> [CacheConfiguration.Tool] {
        var reader = table("tools")
        let each = path.key("tools").pattern + ".*"
        findings.recordKnownKey(each)
        findings.recordShapes([.duration], of: each)
        return reader.takeAll().compactMap { entry in
            guard let ttl = reader.duration(entry, in: .seconds(1) ... .seconds(86_400)) else { return nil }
            return CacheConfiguration.Tool(pattern: entry.name, ttl: ttl)
        }
    }

    /// Names of header fields, in lower case.
    fileprivate mutating func varyingFields() -> [String] {
        guard let (values, _) = list("vary") else { return [] }
        return values.compactMap { value in
            guard let text = plainText(value, quoted: "an entry of vary") else { return nil }
            let name = text.lowercased()
            guard name.utf8.allSatisfy(Self.isToken), name.utf8.count <= 128 else {
                findings.report(
                    value.range, "\(TOMLText.quoted(text)) is not the name of a header field",
                    because: "such a name has letters, digits and hyphens (RFC 9110 section 5.1)")
                return nil
            }
            guard name != "authorization", name != "cookie" else {
                findings.report(
                    value.range, "\(TOMLText.quoted(text)) would keep callers from sharing any answer",
                    because: "answers that a server calls private are kept for each credential apart anyhow",
                    help: "remove it, or leave methods out whose servers call public what is not")
                return nil
            }
            return name
        }
    }

    /// Whether a byte may stand in the name of a header field.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
