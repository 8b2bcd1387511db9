package import Configuration
import Kernel
import Synchronization
import Tokens

/// Who may send the requests of a route. An object, because exchanges go on with it when the snapshot is replaced.
package final class RouteAuth: Sendable {
    /// What it was made of; two of the same are one.
    let configuration: AuthConfiguration
    /// What tokens must say; nil: there are keys of callers only.
    let rules: TokenRules?
    /// The issuer's keys; goes with `rules`.
    let keys: IssuerKeys?
    /// The keys of callers; nil: there are none.
    let apiKeys: APIKeyFile?
    /// The tools that scopes allow.
    let tools: ToolPolicy
    /// The header fields that servers get, and clients cannot send.
    let fields: [ClaimField]
    /// Tells it from others: a token may be good for one and not for another.
    let number: UInt64
    /// The URL that clients dial, if an audience is one; else it follows from the request.
    let resource: ResourceURL?

    private static let numbers = Atomic<UInt64>(0)

    /// `known`: what there is already, so that keys that were found stay known.
    package init(_ configuration: AuthConfiguration, known: [RouteAuth] = []) {
        self.configuration = configuration
        rules = configuration.issuer.map { issuer in
            TokenRules(
                issuer: issuer.name, audiences: configuration.audiences,
                leeway: Int64(configuration.leeway.components.seconds), requiredScopes: configuration.requiredScopes,
                keptClaims: configuration.claims.map(\.claim) + configuration.countedClaims)
        }
        keys = configuration.issuer.map { issuer in
            known.compactMap(\.keys).first { $0.source == issuer.keys } ?? IssuerKeys(issuer.keys)
        }
        apiKeys = configuration.apiKeys.map { path in
            known.compactMap(\.apiKeys).first { $0.path == path } ?? APIKeyFile(path)
        }
        tools = ToolPolicy(
            configuration.tools.map { ToolPolicy.Rule(scope: $0.scope, allowed: $0.allowed, denied: $0.denied) })
        fields = configuration.claims.map { ClaimField(name: Array($0.field.lowercased().utf8), claim: $0.claim) }
        number = Self.numbers.add(1, ordering: .relaxed).newValue
        resource = configuration.audiences.lazy.compactMap { ResourceURL($0) }.first
    }

    /// Changes with the keys: what was found out about a token before is looked at again.
    var version: UInt64 { (keys?.version ?? 0) &+ (apiKeys?.version ?? 0) }

    /// What is to be thought of a token. For the verifier's thread: it takes long.
    func verdict(on token: [UInt8], at now: Int64) -> TokenVerdict {
        if let caller = apiKeys?.current.caller(with: token) {
            let isEnough = configuration.requiredScopes.allSatisfy(caller.scopes.contains)
            return isEnough ? .accepted(caller) : .refused(.insufficientScope)
        }
        guard let rules, let keys else { return .refused(.unknownAPIKey) }
        return TokenVerification.verdict(on: token, keys: keys.current, rules: rules, at: now)
    }

    /// Who has shown such a token.
    func identity(of token: VerifiedToken) -> CallerIdentity {
        CallerIdentity(token, fields: fields, counted: configuration.countedClaims)
    }

    /// Scopes that a client may ask the issuer for.
    var scopesSupported: [String] {
        var scopes = configuration.requiredScopes
        for rule in configuration.tools where !scopes.contains(rule.scope) { scopes.append(rule.scope) }
        return scopes
    }
}

/// The URL of a protected resource, and that of its metadata (RFC 9728 section 3.1).
struct ResourceURL: Sendable, Equatable {
    let text: String
    let metadata: String

    /// Nil unless it is an absolute URL of http or https that may stand in a quoted string.
    init?(_ text: String) {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }), !text.contains("#")
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        let path = rest.dropFirst(authority.count)
        self.text = text
        metadata = "\(scheme)\(authority)\(Self.metadataPath)\(path == "/" ? "" : path)"
    }

    /// Where metadata are, before the path of what they are about.
    static let metadataPath: StaticString = "/.well-known/oauth-protected-resource"
}

extension Snapshot {
    /// Gives routes that ask for the same the same object, and the keys that were found already.
    mutating func shareTokens(with known: [RouteAuth] = [], verifier other: TokenVerifier? = nil) {
        isProtected = routes.contains { $0.extras?.auth != nil }
        guard isProtected else { return }
        var known = known
        for index in routes.indices {
            guard let extras = routes[index].extras, let own = extras.auth else { continue }
            let same = known.first { $0.configuration == own.configuration }
            let auth = same ?? RouteAuth(own.configuration, known: known)
            routes[index].extras = RouteExtras(extras, auth: auth)
            known.append(auth)
        }
        verifier = other ?? verifier ?? TokenVerifier()
    }

    /// What the routes ask of callers.
    var auths: [RouteAuth] { routes.compactMap { $0.extras?.auth } }
}
