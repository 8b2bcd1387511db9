import ASCII
import Caching
import HTTP
import MCP
import Reactor
import TLS

/// What an answer depends on beside the message that asks for it, from the head of the request.
enum CacheNames {
    /// Header fields with which a caller shows who it is, in lower case. An answer for one caller is found by all of them
    /// together.
    private static let credentials: [StaticString] = [
        "authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-forwarded-user", "x-forwarded-email",
        "x-forwarded-groups", "x-forwarded-access-token", "x-auth-request-user", "x-remote-user",
        "x-auth-request-email",
        "x-auth-request-groups", "x-auth-request-access-token", "x-access-token", "x-user-id", "proxy-authorization",
        "x-forwarded-client-cert", "x-amzn-oidc-identity", "x-amzn-oidc-data", "x-amzn-oidc-accesstoken",
        "x-goog-iap-jwt-assertion", "cf-access-jwt-assertion", "x-ms-client-principal", "x-ms-client-principal-id",
    ]

    /// Header fields on which the answer depends whoever asks: where it was asked, in which revision, whether in a session, of
    /// which a server may have no answer outside, and from which page, which is allowed to read it or not.
    private static func appendQuestion(
        _ head: borrowing RequestHead, in buffer: borrowing ByteBuffer, vary: [[UInt8]], to text: inout [UInt8]
    ) {
        append(buffer.bytes(head.authority.range), to: &text)
        append(buffer.bytes(head.target.range), to: &text)
        append(buffer.bytes((head.protocolVersion ?? .empty).range), to: &text)
        text.append(head.sessionID == nil ? 0 : 1)
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            let isOrigin =
                field.name.count == 6 && buffer.span.hasIgnoringCase("origin", at: field.name.range.lowerBound)
            if isOrigin || vary.contains(where: { buffer.hasName(field, $0) }) { append(field, in: buffer, to: &text) }
        }
    }

    /// The names of the answer to the parsed request at the front of `buffer`. `question` is what the answer depends on in
    /// its message. `hasOtherIdentity`: the caller may have shown who it is by something else than header fields.
    static func keys(
        of head: borrowing RequestHead, in buffer: borrowing ByteBuffer, question: [UInt8], hasOtherIdentity: Bool,
        _ cache: UpstreamCache
    ) -> CacheKeys {
        var text: [UInt8] = []
        text.reserveCapacity(question.count + 512)
        appendQuestion(head, in: buffer, vary: cache.answers.rules.vary, to: &text)
        append(question, to: &text)
        var caller: [UInt8] = []
        for index in 0..<head.fields.count where isCredential(head.fields[index], in: buffer) {
            append(head.fields[index], in: buffer, to: &caller)
        }
        let own = caller.isEmpty || hasOtherIdentity ? nil : cache.digest.tag(text.span, caller.span)
        let shared = cache.digest.tag(text.span, [UInt8]().span)
        return CacheKeys(shared: CacheKey(shared.0, shared.1), own: own.map { CacheKey($0.0, $0.1) })
    }

    /// Whether a field is the caller's own: who it is, or from which page it asks.
    static func isCallers(_ field: Field, in buffer: borrowing ByteBuffer) -> Bool {
        isCredential(field, in: buffer) || buffer.hasName(field, Array("origin".utf8))
            || buffer.hasName(field, Array("referer".utf8))
    }

    /// Whether a caller shows with a field who it is.
    static func isCredential(_ field: Field, in buffer: borrowing ByteBuffer) -> Bool {
        guard field.name.count >= 6 else { return false }
        let start = field.name.range.lowerBound
        for name in credentials where Int(field.name.count) == name.utf8CodeUnitCount {
            if buffer.span.hasIgnoringCase(name, at: start) { return true }
        }
        return false
    }

    /// Fields are told apart by name and value, and both by their lengths: no two requests have the same bytes.
    private static func append(_ field: Field, in buffer: borrowing ByteBuffer, to text: inout [UInt8]) {
        append(buffer.bytes(field.name.range).map(\.lowercased), to: &text)
        append(buffer.bytes(field.value.range), to: &text)
    }

    private static func append(_ bytes: [UInt8], to text: inout [UInt8]) {
        let count = UInt32(truncatingIfNeeded: bytes.count)
        for shift in [0, 8, 16, 24] as [UInt32] { text.append(UInt8(truncatingIfNeeded: count >> shift)) }
        text += bytes
    }
}

/// What of a response's head goes with an answer that is kept.
enum CachedFields {
    /// Whole field lines to send with the answer: what browsers are allowed; and whether it depends on who asks. Nil: the answer is not
    /// to be kept, because it sets a cookie, or depends on something that its name does not have.
    static func read(
        _ head: borrowing ResponseHead, in buffer: borrowing ByteBuffer, isEventStream: Bool, vary: [[UInt8]]
    ) -> (lines: [UInt8], variesByCaller: Bool)? {
        var lines: [UInt8] = []
        var variesByCaller = false
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            let name = String(decoding: buffer.bytes(field.name.range).map(\.lowercased), as: UTF8.self)
            switch name {
            case "set-cookie": return nil
            case "cache-control": if !isEventStream, forbids(buffer.bytes(field.value.range)) { return nil }
            case "vary":
                guard isCovered(buffer.bytes(field.value.range), vary) else { return nil }
                if items(buffer.bytes(field.value.range)).contains(where: { byCaller.contains(String($0)) }) {
                    variesByCaller = true
                }
                lines += buffer.bytes(field.line.range)
            case let name where name.hasPrefix("access-control-"): lines += buffer.bytes(field.line.range)
            default: break
            }
        }
        return (lines, variesByCaller)
    }

    /// Fields that a private answer depends on anyhow, and one for everybody must not.
    private static let byCaller: Set<String> = ["authorization", "cookie"]

    /// Whether a Cache-Control (RFC 9111 section 5.2.2) keeps an answer from being kept. It is not asked of event streams: those
    /// have no-cache or no-store by custom, whatever is in them, and MCP says by `ttlMs` what may be kept.
    private static func forbids(_ value: [UInt8]) -> Bool {
        items(value).contains { item in
            let word = item.prefix { $0 != "=" && $0 != "\t" }
            return word == "no-store" || word == "private"
        }
    }

    /// The items of a list (RFC 9110 section 5.6.1) up to their first space, in lower case.
    private static func items(_ value: [UInt8]) -> [Substring] {
        String(decoding: value.map(\.lowercased), as: UTF8.self).split(separator: ",").map { item in
            item.trimmingPrefix { $0 == " " || $0 == "\t" }.prefix { $0 != " " }
        }
    }

    /// Names that answers depend on anyhow, or whose fields make no difference to an answer that is written anew.
    private static let covered: Set<String> = [
        "origin", "accept", "accept-encoding", "mcp-protocol-version", "mcp-session-id", "authorization", "host",
        "cookie",
        "access-control-request-method", "access-control-request-headers",
    ]

    /// Whether a Vary (RFC 9110 section 12.5.5) names nothing else.
    private static func isCovered(_ value: [UInt8], _ vary: [[UInt8]]) -> Bool {
        items(value).allSatisfy { name in
            covered.contains(String(name)) || vary.contains(Array(name.utf8)) || name.isEmpty
        }
    }
}
