extension HAProxyTranslation {
    /// Reads what a section does to requests and responses of all its routes.
    mutating func readRules(_ section: HAProxySection, _ rules: inout RouteRules, upstream: inout ImportedUpstream) {
        for line in section.lines {
            switch (line.keyword, line[1]) {
            case ("http-response", "set-header"), ("http-response", "add-header"),
                ("http-after-response", "set-header"):
                setField(line, &rules)
            case ("http-response", "del-header"), ("http-after-response", "del-header"):
                guard isUnconditional(line), NginxTranslation.isFieldName(line[2]) else { continue }
                rules.removedFields.append(line[2])
                result.notes.note(line.statement, .kept)
            case ("http-request", "set-header"), ("http-request", "add-header"): noteRequestField(line, &upstream)
            case ("http-request", "del-header"):
                let isForwarding = line[2].lowercased().hasPrefix("x-forwarded") || line[2].lowercased() == "x-real-ip"
                result.notes.note(
                    line.statement, isForwarding ? .byDefault : .leftOut,
                    isForwarding
                        ? "of clients that are no trusted proxies it is dropped"
                        : "fields of requests are passed on, and none is removed")
            case ("http-request", "replace-path"), ("http-request", "set-path"), ("http-request", "replace-uri"):
                readRewrite(line, &rules)
            case ("compression", _):
                let isStream = section.all("compression", "type").contains { $0.has("text/event-stream") }
                result.notes.note(
                    line.statement, isStream ? .repaired : .byDefault,
                    isStream
                        ? "compressed, events wait for each other; streams are passed on as they are"
                        : "answers are passed on as servers code them")
            case ("mode", "tcp"): noteTCP(line)
            default: break
            }
        }
    }

    private func isUnconditional(_ line: HAProxyLine) -> Bool { !line.has("if") && !line.has("unless") }

    private mutating func setField(_ line: HAProxyLine, _ rules: inout RouteRules) {
        let (name, value) = (line[2], line[3])
        let isSimple = !line.has("unless") && (!line.has("if") || line.has("ssl_fc"))
        guard isSimple, !value.contains("%["), !value.isEmpty, NginxTranslation.isFieldName(name),
            NginxTranslation.isFieldValue(value), rules.setFields.count < 32
        else {
            result.notes.note(line.statement, .leftOut, "a field that is set has a fixed value")
            return
        }
        let fixed = [
            "content-type", "transfer-encoding", "connection", "content-length", "date", "mcp-session-id",
            "content-encoding", "keep-alive", "upgrade", "trailer", "te",
        ]
        guard !fixed.contains(name.lowercased()) else {
            result.notes.note(line.statement, .byDefault, "\(name) is written by who sends the body")
            return
        }
        // "%%" is a percent sign.
        let text = value.replacing("%%", with: "%")
        if let index = rules.setFields.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) {
            rules.setFields[index].value = text
        } else {
            rules.setFields.append(ImportedRoute.Field(name: name, value: text))
        }
        result.notes.note(line.statement, .kept)
    }

    private mutating func noteRequestField(_ line: HAProxyLine, _ upstream: inout ImportedUpstream) {
        let name = line[2].lowercased()
        let value = line[3]
        switch name {
        case "x-forwarded-proto":
            if value == "https", isUnconditional(line) {
                forwardsHTTPS = true
                result.notes.note(line.statement, .kept)
            } else {
                result.notes.note(line.statement, .byDefault, "servers get x-forwarded-proto")
            }
        case "x-forwarded-for", "x-real-ip", "x-forwarded-host", "x-forwarded-port", "x-client-ip", "forwarded":
            result.notes.note(line.statement, .byDefault, "servers get x-forwarded-for, -proto, -host and x-real-ip")
        case "host":
            if value.contains("%[") {
                result.notes.note(line.statement, .byDefault, "servers get the client's Host")
            } else if RouteHost.isFixedHost(value), isUnconditional(line) {
                upstream.host = .fixed(value)
                result.notes.note(line.statement, .kept)
            } else {
                result.notes.note(line.statement, .leftOut, "the servers of an upstream all get the same Host")
            }
        default:
            result.notes.note(
                line.statement, .leftOut, "servers get the fields of clients, and none that is made up here")
        }
    }

    private mutating func readRewrite(_ line: HAProxyLine, _ rules: inout RouteRules) {
        var rewrite = PathRewrite.other
        if line[1] == "set-path" {
            // %[path,regsub(^/x,)]
            let text = line[2]
            if text.hasPrefix("%[path,regsub("), text.hasSuffix(")]") {
                let parts = text.dropFirst(14).dropLast(2).split(separator: ",", omittingEmptySubsequences: false).map(
                    String.init)
                if parts.count >= 2 { rewrite = Self.substitution(parts[0], parts[1]) }
            }
        } else {
            let replacement = line[3].replacing("\\1", with: "$1").replacing("\\2", with: "$2")
            rewrite = PathRewrite(
                expression: Self.simplified(line[2]), replacement: replacement == "/$2" ? "/$1" : replacement)
        }
        switch rewrite {
        case .none: result.notes.note(line.statement, .byDefault, "the path is the same behind it")
        case .strips(let prefix):
            rules.prefix = (prefix, line)
            result.notes.note(line.statement, .kept, "strip_prefix = \"\(prefix)\"")
        case .other:
            result.notes.note(
                line.statement, .leftOut,
                "a route can take a beginning off a path, and nothing else: the path goes as it comes")
        }
    }

    /// "^/x/(.*)" for "/x/(.*)", "^/x(/)?(.*)" and "^/x/?(.*)".
    private static func simplified(_ expression: String) -> String {
        let anchored = expression.hasPrefix("^") ? expression : "^" + expression
        return anchored.replacing("(/)?(.*)", with: "/?(.*)")
    }

    /// What replacing an expression by a text takes off.
    private static func substitution(_ expression: String, _ text: String) -> PathRewrite {
        var stem = expression.hasPrefix("^") ? String(expression.dropFirst()) : expression
        if stem.hasSuffix("/?") { stem = String(stem.dropLast(2)) + "/" }
        guard text.isEmpty || text == "/", expression.hasPrefix("^/") else { return .other }
        return PathRewrite(location: .prefix(stem, isFinal: false), path: text)
    }
}
