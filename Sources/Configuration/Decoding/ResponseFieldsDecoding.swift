extension ResponseFieldsConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        set = reader.fieldLines("set")
        removed = reader.fieldNames("remove")
        if let twice = removed.first(where: { name in set.contains { $0.name.lowercased() == name.lowercased() } }),
            let entry = reader.entry("remove")
        {
            reader.findings.report(
                entry.value.range, "\(twice) is set and removed", because: "set replaces what a server has sent",
                help: "leave it out of remove")
        }
        reader.finish()
    }

    /// Whether a text is the name of a field: a token (RFC 9110 section 5.6.2) of at most 64 bytes.
    static func isName(_ text: String) -> Bool {
        let others = Array("!#$%&'*+-.^_`|~".utf8)
        return (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: others.contains(byte)
                }
            }
    }

    /// Names, in lower case, of fields that nobody may change, with the reason.
    static let fixedNames: [String: String] = {
        let hop = "it is of one connection, and Berth has two (RFC 9110 section 7.6.1)"
        let framing = "it says how the body is read: changed, clients would read another one, or wait for ever"
        var names: [String: String] = [
            "mcp-session-id": "it names the session: without it, or with another one, its client is lost",
            "date": "Berth writes it where a server does not",
        ]
        for name in ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "http2-settings"] {
            names[name] = hop
        }
        for name in ["proxy-authenticate", "proxy-authorization"] { names[name] = hop }
        for name in ["transfer-encoding", "content-length", "content-type", "content-encoding", "content-range"] {
            names[name] = framing
        }
        return names
    }()
}

extension TableReader {
    /// A table of field lines, whose names the operator chooses; invalid ones are reported and left out.
    fileprivate mutating func fieldLines(_ key: String) -> [ResponseFieldsConfiguration.Line] {
        note(key, .texts)
        guard let entry = take(key) else { return [] }
        guard case .table(let table) = entry.value.content else {
            wrongType(
                entry, "a table", "it has a value for each name",
                help: "\(key) = { \"Strict-Transport-Security\" = \"max-age=63072000\" }")
            return []
        }
        var lines: [ResponseFieldsConfiguration.Line] = []
        for line in table.entries {
            guard let value = fieldValue(line), checkFieldName(line.name, line.key, others: lines.map(\.name)) else {
                continue
            }
            lines.append(ResponseFieldsConfiguration.Line(name: line.name, value: value))
        }
        checkCount(lines.count, entry)
        let bytes = lines.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        if bytes > ResponseFieldsConfiguration.maximumBytes {
            findings.report(
                entry.value.range, "\(key) has \(TOMLText.integer(bytes)) bytes",
                because: "it goes out with every response: at most "
                    + "\(TOMLText.integer(ResponseFieldsConfiguration.maximumBytes))")
        }
        return lines
    }

    private func fieldValue(_ line: LocatedTable.Entry) -> String? {
        guard let text = plainText(line.value, quoted: quote(line)) else { return nil }
        let isVisible = text.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
        guard isVisible, text.trimmingBlanks() == text else {
            findings.report(
                line.value.range, "this is not the value of a field",
                because: "a value is one line of visible ASCII without blanks around it (RFC 9110 section 5.5)")
            return nil
        }
        return text
    }

    /// A list of names of fields; invalid ones are reported and left out.
    fileprivate mutating func fieldNames(_ key: String) -> [String] {
        guard let (values, entry) = list(key) else { return [] }
        var names: [String] = []
        for value in values {
            guard let text = plainText(value, quoted: findings.source.text(value.range)),
                checkFieldName(text, value.range, others: names)
            else { continue }
            names.append(text)
        }
        checkCount(names.count, entry)
        return names
    }

    private func checkCount(_ count: Int, _ entry: LocatedTable.Entry) {
        guard count > ResponseFieldsConfiguration.maximumNames else { return }
        findings.report(
            entry.value.range, "\(entry.name) has \(count) names",
            because: "at most \(ResponseFieldsConfiguration.maximumNames) are possible")
    }

    /// Whether a name may be changed; reports it if not.
    private func checkFieldName(_ name: String, _ range: Range<Int>, others: [String]) -> Bool {
        let reason: String
        if !ResponseFieldsConfiguration.isName(name) {
            reason = "the name of a field is of letters, digits and hyphens, at most 64 (RFC 9110 section 5.1)"
        } else if let fixed = ResponseFieldsConfiguration.fixedNames[name.lowercased()] {
            reason = fixed
        } else if others.contains(where: { $0.lowercased() == name.lowercased() }) {
            reason = "it stands here already, and case does not count"
        } else {
            return true
        }
        findings.report(range, "\(TOMLText.quoted(name)) cannot be changed", because: reason)
        return false
    }
}
