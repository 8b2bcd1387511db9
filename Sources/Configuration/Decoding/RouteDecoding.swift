/// A route with its positions in the file. The upstream is a name that is not resolved yet.
struct DecodedRoute {
    var host: String?
    var path: PathPattern
    var upstream: (name: String, range: Range<Int>)?
    /// Nil: requests go to the upstream.
    var answer: RouteDestination?
    var checksHeaders: Bool
    var strippedPrefix: String?
    var responseFields: ResponseFieldsConfiguration
    var access: AccessConfiguration
    var auth: AuthConfiguration?
    /// Where `auth.certificate` stands.
    var certificate: Range<Int>?
    var rateLimits: [RateLimitConfiguration]
    var streamOpens: RateText?
    /// Where `rate_limit` stands, if it has an entry by session.
    var sessionLimit: Range<Int>?
    var origins: [String]?
    var crossOrigins: CrossOriginConfiguration?
    var responseLimit: Int?
    /// The bytes of the table's header.
    var range: Range<Int>
    /// Whether host and path are valid; otherwise the route takes no part in further checks.
    let isValid: Bool

    init(from reader: consuming TableReader) {
        let before = reader.findings.errors.count
        host = reader.routeHost()
        path = reader.routePath()
        isValid = reader.findings.errors.count == before
        range = reader.range ?? 0..<0
        upstream = reader.text("upstream").map { ($0.value, $0.entry.value.range) }
        answer = reader.routeAnswer(path: isValid ? path : nil)
        reader.checkDestinations(range)
        checksHeaders = reader.flag("check_headers", default: false)
        strippedPrefix = reader.strippedPrefix(path: isValid ? path : nil)
        responseFields = ResponseFieldsConfiguration(from: reader.table("response_headers"))
        access = reader.access()
        if case .table(let table)? = reader.entry("auth")?.value.content {
            certificate = table.entries.first { $0.name == "certificate" }?.value.range
        }
        auth = AuthConfiguration.read(from: reader.table("auth"))
        rateLimits = reader.rateLimits(knowsCallers: reader.has("auth"))
        auth?.countedClaims = rateLimits.countedClaims
        streamOpens = reader.rateOrOff("stream_opens")
        if rateLimits.contains(where: { $0.key == .session }) { sessionLimit = reader.entry("rate_limit")?.key }
        origins = reader.origins()
        crossOrigins = reader.crossOrigins(guarded: origins)
        if crossOrigins != nil { reader.checkSharedFields(responseFields) }
        responseLimit = reader.sizeIfThere("response_limit", in: 1_024...(1 << 40))
        reader.rejectUnavailable("timeouts")
        reader.finish()
    }

    /// The route with its upstream, by index.
    func configuration(upstream index: Int) -> RouteConfiguration {
        var route = RouteConfiguration(host: host, path: path, upstream: index, checksHeaders: checksHeaders)
        if let answer { route.destination = answer }
        route.strippedPrefix = strippedPrefix
        route.responseFields = responseFields
        route.access = access
        route.auth = auth
        route.rateLimits = rateLimits
        route.streamOpens = streamOpens
        route.origins = origins
        route.crossOrigins = crossOrigins
        route.responseLimit = responseLimit
        return route
    }

    /// Whether this route matches every request that the other one matches.
    func covers(_ other: DecodedRoute) -> Bool {
        guard host == nil || host == other.host else { return false }
        switch (path, other.path) {
        case (.any, _): return true
        case (.exact(let mine), .exact(let theirs)): return mine == theirs
        case (.prefix(let mine), .exact(let theirs)), (.prefix(let mine), .prefix(let theirs)):
            return theirs == mine || theirs.hasPrefix(mine + "/")
        case (.exact, .any), (.exact, .prefix), (.prefix, .any): return false
        }
    }
}

extension TableReader {
    fileprivate mutating func routeHost() -> String? {
        guard let (text, entry) = text("host") else { return nil }
        return routeHost(text, entry.value, key: "host")
    }

    /// The host of a text as it is compared; nil, and reported, if it is none. `key`: the key whose whole value it is.
    func routeHost(_ text: String, _ value: LocatedValue, key: String?) -> String? {
        let before = key.map { "\($0) = " } ?? ""
        var reason: String?
        var help: String?
        if text.contains("*") {
            reason = "wildcards are not available in this version: a host is compared as a whole"
            help = key == nil ? "name each of them" : "give one route per host, or leave host out to match all"
        } else if let parts = try? HostAndPort(text) {
            reason = "\(key == nil ? "hosts goes" : "a route goes") by the name alone, whatever port the client dialled"
            help = before + TOMLText.quoted(parts.host)
        } else if text.contains("://") {
            reason = "this is a URL; \(key == nil ? "hosts goes" : "a route goes") by the name alone"
            help = text.split(separator: "/").dropFirst().first.map { before + TOMLText.quoted(String($0)) }
        } else if !HostAndPort.isHostName(text), IPAddressText(Self.withoutBrackets(text)) == nil {
            reason = "a host is a name such as \"mcp.example.com\", or an IP address"
        }
        guard let reason else { return Self.canonicalHost(text) }
        findings.report(
            value.range, "\(before)\(TOMLText.quoted(text)) cannot be matched", because: reason, help: help)
        return nil
    }

    /// The host as it is compared: in lower case, without the root's dot, an IPv6 address in its one spelling of
    /// RFC 5952 without brackets.
    private static func canonicalHost(_ text: String) -> String {
        if let address = IPAddressText(withoutBrackets(text)) { return address.text }
        return (text.hasSuffix(".") ? String(text.dropLast()) : text).lowercased()
    }

    private static func withoutBrackets(_ text: String) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    }

    fileprivate mutating func routePath() -> PathPattern {
        guard let (text, entry) = text("path") else { return .any }
        var reason: String?
        var help: String?
        let isPrefix = text.hasSuffix("/*")
        let stem = isPrefix ? String(text.dropLast(2)) : text
        if !text.hasPrefix("/") {
            reason = "a path begins with \"/\""
            help = "path = \(TOMLText.quoted("/" + text))"
        } else if stem.contains("*") {
            reason = "\"*\" stands only at the end, after a \"/\", for all paths below"
            let known = stem.prefix { $0 != "*" }
            help = "path = \(TOMLText.quoted(known.hasSuffix("/") ? "\(known)*" : "\(known)/*"))"
        } else if text.contains("?") || text.contains("#") {
            reason = "a route goes by the path alone, without query"
            help = "path = \(TOMLText.quoted(String(text.prefix { $0 != "?" && $0 != "#" })))"
        } else if !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            reason = "a path is compared as it comes over the wire, with blanks and letters beyond ASCII as %XX"
        }
        if let reason {
            findings.report(entry.value.range, "\(quote(entry)) cannot be matched", because: reason, help: help)
            return .any
        }
        if isPrefix { return stem.isEmpty ? .any : .prefix(stem) }
        return .exact(text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text)
    }
}
