import ASCII
import HTTP
import Kernel
import Reactor
import Tokens

/// What clients are told about tokens: challenges (RFC 6750 section 3), and where tokens come from (RFC 9728).
extension Worker where Outside: ~Copyable {
    /// Keeps the challenge that goes with the answer to the parsed request at the front of `io.received`.
    mutating func challenge(
        _ exchange: Handle, _ auth: RouteAuth, error: (code: StaticString, text: String)?, scopes: [String]
    ) {
        var parameters: [String] = []
        if let error {
            parameters.append("error=\"\(error.code)\"")
            parameters.append("error_description=\"\(error.text)\"")
        }
        if !scopes.isEmpty { parameters.append("scope=\"\(scopes.joined(separator: " "))\"") }
        if auth.rules != nil, let url = auth.resource ?? dialledURL(exchange, path: requestedPath) {
            parameters.append("resource_metadata=\"\(url.metadata)\"")
        }
        if parameters.isEmpty { parameters = ["realm=\"mcp\""] }
        let line = "www-authenticate: Bearer \(parameters.joined(separator: ", "))\r\n"
        exchanges.authentication.setChallenge(Array(line.utf8), for: exchange)
    }

    /// Puts the challenge into an answer of the proxy's own, all of which is in `io.composed`.
    mutating func appendChallenge(_ exchange: Handle) {
        guard let line = exchanges.authentication.takeChallenge(exchange) else { return }
        io.editComposedHead(ResponseFieldEdits(lines: line))
    }

    /// The path of the request, without its query.
    private var requestedPath: String {
        let target = io.received.bytes(io.requestHead.target.range).prefix { $0 != UInt8(ascii: "?") }
        return String(decoding: target, as: UTF8.self)
    }

    /// The URL by which a client has asked for a path: nil if it is not one that can be told again.
    private func dialledURL(_ exchange: Handle, path: String) -> ResourceURL? {
        let client = exchanges[exchange].client
        let listener = clients.listener(of: client)
        let origin = clients.listeners[listener].plan.publicOrigin
        if !origin.isEmpty {
            return ResourceURL("\(String(decoding: origin, as: UTF8.self))\(path == "/" ? "" : path)")
        }
        let isSecure = cameSecurely(client, listener)
        let authority = String(decoding: io.received.bytes(io.requestHead.authority.range), as: UTF8.self)
        guard !authority.isEmpty, !authority.contains("/") else { return nil }
        return ResourceURL("\(isSecure ? "https" : "http")://\(authority)\(path == "/" ? "" : path)")
    }

    // MARK: - Metadata

    /// Answers a request for the metadata of a protected route (RFC 9728 section 3); nil: it is for something else.
    @inline(never)
    mutating func respondMetadata(_ exchange: Handle) -> PhaseResult? {
        let target = io.requestHead.target
        let prefix = ResourceURL.metadataPath.utf8CodeUnitCount
        guard target.count >= prefix, io.received.has(ResourceURL.metadataPath, at: target.lowerBound) else {
            return nil
        }
        let path = requestedPath.dropFirst(prefix)
        guard path.isEmpty || path.hasPrefix("/") else { return nil }
        switch exchanges[exchange].method {
        case .get, .head: break
        default: return nil
        }
        io.requestHead.target = ByteRange(start: target.lowerBound + prefix, count: path.utf8.count)
        let auth = protectedRoute(hasPath: !path.isEmpty && path != "/")
        io.requestHead.target = target
        guard let auth, let issuer = auth.rules?.issuer,
            let url = auth.resource ?? dialledURL(exchange, path: String(path))
        else { return nil }
        let answer = FixedAnswer(
            status: 200,
            lines: Array(
                "content-type: application/json\r\ncache-control: max-age=300\r\naccess-control-allow-origin: *\r\n"
                    .utf8),
            body: Array(Self.metadata(url, issuer, auth.scopesSupported).utf8))
        return respond(exchange, with: answer)
    }

    /// What the first protected route asks for that matches the head in the scratch; of any path, if the request names none.
    private func protectedRoute(hasPath: Bool) -> RouteAuth? {
        for index in snapshot.routes.indices {
            guard let auth = snapshot.routes[index].extras?.auth, auth.rules != nil else { continue }
            var route = snapshot.routes[index]
            if !hasPath { route.path = .any }
            if RequestMatch.matches(route, io.requestHead, in: io.received) { return auth }
        }
        return nil
    }

    private static func metadata(_ url: ResourceURL, _ issuer: String, _ scopes: [String]) -> String {
        let list = scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let supported = scopes.isEmpty ? "" : "\"scopes_supported\":[\(list)],"
        return "{\"resource\":\"\(url.text)\",\"authorization_servers\":[\"\(issuer)\"],\(supported)"
            + "\"bearer_methods_supported\":[\"header\"]}"
    }
}
