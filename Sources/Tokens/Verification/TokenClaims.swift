/// What a token claims (RFC 7519 section 4.1, RFC 8693 section 4.2), read strictly.
struct TokenClaims {
    let issuer: String?
    let subject: String?
    let audiences: [String]
    /// Seconds since 1970.
    let expiry, notBefore, issuedAt: Int64?
    let scopes: Set<String>
    private let object: JSONObject

    /// Nil if the text is no object, or a registered claim is of another type than it must be.
    init?(_ text: [UInt8]) {
        guard let object = JSONObject(text) else { return nil }
        self.object = object
        do {
            issuer = try Self.string("iss", object)
            subject = try Self.string("sub", object)
            audiences = try Self.strings("aud", object)
            expiry = try Self.time("exp", object)
            notBefore = try Self.time("nbf", object)
            issuedAt = try Self.time("iat", object)
            let scope = try Self.string("scope", object).map(Self.words) ?? []
            let permissions = try Self.strings("scp", object).flatMap(Self.words)
            scopes = Set(scope + permissions)
        } catch {
            return nil
        }
    }

    private struct WrongType: Error {}

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private static func string(_ name: String, _ object: JSONObject) throws(WrongType) -> String? {
        switch object[name] {
        case nil: nil
        case .string(let text): text
        default: throw WrongType()
        }
    }

    private static func strings(_ name: String, _ object: JSONObject) throws(WrongType) -> [String] {
        switch object[name] {
        case nil: []
        case .string(let text): [text]
        case .strings(let texts): texts
        default: throw WrongType()
        }
    }

    /// A NumericDate, which may have a fraction (RFC 7519 section 2).
    private static func time(_ name: String, _ object: JSONObject) throws(WrongType) -> Int64? {
        switch object[name] {
        case nil: return nil
        case .number(let seconds, _) where seconds >= 0 && seconds < 253_402_300_800: return Int64(seconds)
        default: throw WrongType()
        }
    }

    /// Claims as text: strings, numbers and flags as they are, lists of strings with commas between them. Others are left out.
    func texts(of names: [String]) -> [String: String] {
        var texts: [String: String] = [:]
        for name in names {
            switch object[name] {
            case .string(let text): texts[name] = text
            case .number(_, let text): texts[name] = text
            case .flag(let flag): texts[name] = flag ? "true" : "false"
            case .strings(let list): texts[name] = list.joined(separator: ",")
            case .other, nil: break
            }
        }
        return texts
    }
}
