import Configuration

/// What the configuration says that Berth answers without a server.
enum LocalAnswer: Sendable {
    /// Always the same.
    case fixed(FixedAnswer)
    /// 308 to this URL; `keepsTarget`: with the request's path and query behind it.
    case redirect([UInt8], keepsTarget: Bool)
    /// Challenges of an ACME client (RFC 8555 section 8.3), which stand in this folder.
    case challenges(folder: String)

    init?(_ destination: RouteDestination) {
        switch destination {
        case .upstream: return nil
        case .respond(let response): self = .fixed(FixedAnswer(response))
        case .redirect(let target): self = .redirect(Array(target.url.utf8), keepsTarget: target.keepsTarget)
        case .files(let folder): self = .challenges(folder: folder)
        }
    }
}

/// A response that was composed beforehand.
struct FixedAnswer: Sendable {
    /// The status code.
    var status: UInt16
    /// The status line's end.
    var phrase: [UInt8]
    /// Whole field lines, without those of framing and of the connection.
    var lines: [UInt8]
    /// The content; empty: there is none.
    var body: [UInt8]

    init(status: UInt16, lines: [UInt8] = [], body: [UInt8] = []) {
        self.status = status
        phrase = Array(Self.phrase(status).utf8)
        self.lines = lines
        self.body = body
    }

    init(_ configuration: FixedResponseConfiguration) {
        let body = Array(configuration.body.utf8)
        let lines = body.isEmpty ? [] : Array("content-type: \(configuration.contentType)\r\n".utf8)
        self.init(status: UInt16(clamping: configuration.status), lines: lines, body: body)
    }

    /// Its head says how long the body is (RFC 9110 section 8.6).
    var hasLength: Bool { status != 204 }

    /// The reason phrase (RFC 9110 section 15), which may be empty.
    private static func phrase(_ status: UInt16) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 204: "No Content"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 410: "Gone"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        default: ""
        }
    }
}
