extension TableReader {
    /// What becomes of a route's requests in place of an upstream; nil: none of it is there, or it is invalid. `path`: the
    /// route's; nil if that is invalid.
    mutating func routeAnswer(path: PathPattern?) -> RouteDestination? {
        let response = fixedResponse()
        let target = routeRedirect()
        let folder = challengeFolder(path: path)
        if let response { return .respond(response) }
        if let target { return .redirect(target) }
        return folder.map { .files($0) }
    }

    /// Reports a route that leads nowhere, or to more than one place, or that says of an upstream's requests what becomes of
    /// them without having one. `header`: the bytes of the table's header.
    func checkDestinations(_ header: Range<Int>) {
        let named = ["upstream", "respond", "redirect", "files"].compactMap { self.entry($0) }
            .sorted { $0.key.lowerBound < $1.key.lowerBound }
        guard let first = named.first else {
            findings.report(
                header, "this route has no upstream", because: "a route says where the requests that it matches go",
                help: "upstream = \"<name>\", or one of respond, redirect and files")
            return
        }
        for other in named.dropFirst() {
            findings.report(
                other.key, "\(other.name) beside \(first.name)",
                because: "one thing becomes of a request: a route has one of upstream, respond, redirect and files")
        }
        guard first.name != "upstream" else { return }
        for key in ["strip_prefix", "check_headers", "auth", "rate_limit", "stream_opens", "response_limit"] {
            guard let entry = entry(key), !named.contains(where: { $0.name == "upstream" }) else { continue }
            findings.report(
                entry.key, "\(key) without an upstream", because: "no server gets the requests of this route")
        }
    }

    // MARK: - respond

    /// `respond`: a status, or a table with a status and a body.
    private mutating func fixedResponse() -> FixedResponseConfiguration? {
        note("respond", .integer(200...599), .table)
        guard let entry = take("respond") else { return nil }
        guard case .table(let table) = entry.value.content else {
            if case .integer = entry.value.content { return fixedStatus(entry).map { .init(status: $0) } }
            wrongType(
                entry, "a status or a table", "respond is a status, or a status with a body",
                help: "respond = 204, or { status = 200, body = \"ok\" }")
            return nil
        }
        return FixedResponseConfiguration.read(
            from: TableReader(table, at: entry.value.range, path: path.key("respond"), findings: findings))
    }

    /// The status of an entry; nil, and reported, if no such answer can be given.
    fileprivate func fixedStatus(_ entry: LocatedTable.Entry) -> Int? {
        guard let status = integer(entry, in: 200...599, ": a status of a final response") else { return nil }
        let reason: String
        var help: String?
        switch status {
        case 301, 302, 303, 307, 308:
            reason = "a redirect says where to"
            help = "redirect = \"https://other.example.com\" in place of respond"
        case 206, 304: reason = "it refers to a page that the client has, or has asked for a part of"
        case 401: reason = "it comes with a challenge, which only a server can make (RFC 9110 section 15.5.2)"
        default: return status
        }
        findings.report(entry.value.range, "\(quote(entry)) is no answer by itself", because: reason, help: help)
        return nil
    }

    // MARK: - redirect

    /// `redirect` of a route: a URL.
    private mutating func routeRedirect() -> RedirectConfiguration? {
        guard let (text, entry) = text("redirect") else { return nil }
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) }
        let rest = text.dropFirst(scheme?.count ?? 0)
        let authority = String(rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" })
        var help: String?
        var reason: String?
        if scheme == nil {
            reason = "a redirect leads to a URL that begins with https:// or http://"
            if Self.isHostField(authority) { help = "redirect = \(TOMLText.quoted("https://\(text)"))" }
        } else if !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) || text.contains("#") {
            reason = "a URL in a response is of visible ASCII, with other characters as %XX, and has no fragment here"
        } else if text.utf8.count > 2_048 {
            reason = "a URL may have 2_048 bytes here"
        } else if !Self.isHostField(authority) {
            reason = "\(TOMLText.quoted(authority)) is not a host with an optional port"
        }
        if let reason {
            findings.report(entry.value.range, "\(quote(entry)) is not a place to go to", because: reason, help: help)
            return nil
        }
        return RedirectConfiguration(url: text, keepsTarget: authority.count == rest.count)
    }

    // MARK: - files

    /// The path below which ACME clients put their challenges (RFC 8555 section 8.3).
    private static var challengePath: String { "/.well-known/acme-challenge" }

    /// `files`: a folder with challenges.
    private mutating func challengeFolder(path pattern: PathPattern?) -> String? {
        guard let (text, entry) = text("files") else { return nil }
        let folder = FilePath.resolve(text, besides: findings.source.file)
        if let pattern, pattern != .prefix(Self.challengePath) {
            findings.report(
                entry.value.range, "files is for challenges of ACME alone",
                because: "Berth is no file server: the one folder that it serves is that of \(Self.challengePath)/",
                help: "path = \"\(Self.challengePath)/*\"")
        }
        if findings.checks.files, let problem = FilePath.problem(listing: folder) {
            findings.report(
                entry.value.range, "this folder cannot be read", because: "\(folder): \(problem)")
        }
        return folder
    }
}

extension FixedResponseConfiguration {
    private static var longestBody: Int { 65_536 }

    fileprivate static func read(from reader: consuming TableReader) -> FixedResponseConfiguration? {
        reader.note("status", .integer(200...599))
        let status = reader.take("status")
        let body = reader.text("body")
        let type = reader.contentType()
        reader.finish()
        guard let status else {
            reader.findings.report(
                reader.range, "this response has no status", because: "a response begins with its status",
                help: "respond = { status = 200, body = \"ok\" }")
            return nil
        }
        guard let number = reader.fixedStatus(status) else { return nil }
        var response = FixedResponseConfiguration(status: number)
        if let type { response.contentType = type }
        if let (text, entry) = body {
            response.body = text
            if number == 204 || number == 205 {
                reader.findings.report(
                    entry.key, "a body with status \(number)",
                    because: "a response with this status has none (RFC 9110 section 15.3)")
            } else if text.utf8.count > longestBody {
                reader.findings.report(
                    entry.key, "this body is too long",
                    because: "it has \(TOMLText.integer(text.utf8.count)) bytes, and is kept in memory: at most 65_536")
            }
        } else if let entry = reader.entry("content_type") {
            reader.findings.report(
                entry.key, "content_type without a body", because: "it says what the body is", help: "body = \"...\"")
        }
        return response
    }
}

extension TableReader {
    fileprivate mutating func contentType() -> String? {
        guard let (text, entry) = text("content_type") else { return nil }
        let essence = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        guard essence.count == 2,
            essence.allSatisfy({ ResponseFieldsConfiguration.isName(String($0).trimmingBlanks()) }),
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), text.utf8.count <= 128,
            text.trimmingBlanks() == text
        else {
            findings.report(
                entry.value.range, "\(quote(entry)) is not a media type",
                because:
                    "a media type is two names with a slash between, such as \"text/plain\" or \"application/json\"")
            return nil
        }
        return text
    }
}
