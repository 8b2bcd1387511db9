import HTTP
import Kernel
import MCP
import Reactor

/// Answers that the configuration gives in place of a server.
extension Worker where Outside: ~Copyable {
    /// Answers a request, which is parsed and at the front of `io.received`.
    mutating func respond(_ exchange: Handle, with answer: LocalAnswer) -> PhaseResult {
        switch answer {
        case .fixed(let response): return respond(exchange, with: response)
        case .redirect(let url, let keepsTarget):
            return respond(exchange, with: FixedAnswer(redirect: keepsTarget ? url + requestedTarget : url))
        case .challenges(let folder): return respondChallenge(exchange, in: folder)
        }
    }

    /// Redirects a request to the same host and target over https. One that names no host, as HTTP/1.0 allows, cannot be.
    mutating func redirectToHTTPS(_ exchange: Handle, port: UInt16) -> PhaseResult {
        let host = requestedHost
        guard !host.isEmpty else { return .respond(.unknownHost) }
        let suffix = port == 443 ? "" : ":\(port)"
        let url = Array("https://".utf8) + host + Array(suffix.utf8) + requestedTarget
        return respond(exchange, with: FixedAnswer(redirect: url))
    }

    /// Sends a response. What is still to come of the request's body is read and thrown away, within bounds, before the
    /// connection closes: it would be taken for the next request.
    mutating func respond(_ exchange: Handle, with answer: FixedAnswer) -> PhaseResult {
        exchanges[exchange].status = answer.status
        if lifecycle.isDraining || exchanges[exchange].awaitsRequestBody { exchanges[exchange].keepsClient = false }
        io.composed.clear()
        io.append(
            answer, isHead: exchanges[exchange].method == .head, closes: !exchanges[exchange].keepsClient,
            at: clock.now)
        sendOwnResponse(exchange, .responded)
        return .done
    }

    /// The path and query of the request.
    private var requestedTarget: [UInt8] {
        let target = io.received.bytes(io.requestHead.target.range)
        let slash = UInt8(ascii: "/")
        if target.first == slash { return target }
        // An absolute-form target without a path (RFC 9112 section 3.2.1), or the asterisk of OPTIONS.
        return target.first == UInt8(ascii: "?") ? [slash] + target : [slash]
    }

    /// The host of the request without its port.
    private var requestedHost: [UInt8] {
        let authority = io.received.bytes(io.requestHead.authority.range)
        if authority.first == UInt8(ascii: "["), let end = authority.firstIndex(of: UInt8(ascii: "]")) {
            return Array(authority[...end])
        }
        return Array(authority.prefix { $0 != UInt8(ascii: ":") })
    }

    // MARK: - Challenges

    /// Answers with a file of an ACME client. It is read here and now: one that small, on a local disk, takes less time than
    /// a request to a server, and an authority asks for it a few times in months.
    private mutating func respondChallenge(_ exchange: Handle, in folder: String) -> PhaseResult {
        switch exchanges[exchange].method {
        case .get, .head: break
        default: return .respond(.challengeMethod)
        }
        guard let name = Self.challengeName(requestedTarget),
            let content = io.world.readChallenge(name, in: folder, limit: Self.longestChallenge)
        else { return .respond(.noChallenge) }
        let lines = Array("content-type: text/plain\r\ncache-control: no-store\r\n".utf8)
        return respond(exchange, with: FixedAnswer(status: 200, lines: lines, body: content))
    }

    /// Bytes of a challenge, at most. Those of today have 87.
    private static var longestChallenge: Int { 65_536 }

    /// The name of a challenge, from the target of a request: base64url as tokens are (RFC 8555 section 8.3), so that it can
    /// be no path; nil if it is none.
    private static func challengeName(_ target: [UInt8]) -> String? {
        let prefix = Array("/.well-known/acme-challenge/".utf8)
        let path = target.prefix { $0 != UInt8(ascii: "?") }
        guard path.starts(with: prefix) else { return nil }
        let name = path.dropFirst(prefix.count)
        guard (1...128).contains(name.count), name.allSatisfy({ $0.isTokenByte }) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }
}

extension UInt8 {
    /// A byte of base64url (RFC 4648 section 5).
    fileprivate var isTokenByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

extension FixedAnswer {
    /// 308: the method and the body stay (RFC 9110 section 15.4.9). Nothing keeps it, so that a mistake can be undone.
    fileprivate init(redirect url: [UInt8]) {
        let lines = Array("location: ".utf8) + url + Array("\r\ncache-control: no-store\r\n".utf8)
        self.init(status: 308, lines: lines)
    }
}
