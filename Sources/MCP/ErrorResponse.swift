/// An answer that Berth gives itself because no replica could: a status, and a JSON-RPC error that says which fault it
/// was.
///
/// Statuses have meaning in MCP, so they are chosen here and nowhere else. 404 ends a session and is said of nothing
/// but a session that is gone; 400 makes some clients start over; whatever may be better in a second is a 5xx.
/// Codes are the two that JSON-RPC gives (-32603 internal, -32600 invalid request), and -32001 by the convention that
/// servers and clients share for "Session not found". `reason` tells the faults apart, for people and for logs.
package struct ErrorResponse: Sendable {
    package let status: UInt16
    /// The reason phrase of the status line.
    package let phrase: StaticString
    /// The JSON-RPC error code.
    package let code: Int
    package let message: StaticString
    /// `error.data.reason`; ours, lower case with underscores.
    package let reason: StaticString
    /// The value of `Retry-After`, in seconds.
    package let retryAfterSeconds: UInt8?
    /// The value of `Allow`.
    package let allow: StaticString?
    /// Whether the client's connection cannot be used again: the request was not read to its end, or cannot be.
    package let closesConnection: Bool
    /// The value of `Content-Type`: `application/json`, or `text/plain` where the transport has no JSON-RPC answer.
    package let contentType: StaticString

    private init(
        _ status: UInt16, _ phrase: StaticString, code: Int = -32603, _ message: StaticString, reason: StaticString,
        retryAfterSeconds: UInt8? = nil, allow: StaticString? = nil, closesConnection: Bool = false,
        contentType: StaticString = "application/json"
    ) {
        self.status = status
        self.phrase = phrase
        self.code = code
        self.message = message
        self.reason = reason
        self.retryAfterSeconds = retryAfterSeconds
        self.allow = allow
        self.closesConnection = closesConnection
        self.contentType = contentType
    }

    /// The body, with the raw JSON of the request's id, or an empty span for `null`. Only a range that
    /// `JSONRPC.requestID` gave may be echoed.
    package func body(id: Span<UInt8>) -> [UInt8] {
        if "\(contentType)" != "application/json" { return Array("\(message)".utf8) }
        var body = Array(#"{"jsonrpc":"2.0","id":"#.utf8)
        if id.isEmpty { body += "null".utf8 }
        for index in id.indices { body.append(id[index]) }
        body += #","error":{"code":\#(code),"message":"\#(message)","data":{"reason":"\#(reason)"}}}"#.utf8
        return body
    }
}

// MARK: - Faults of the replicas, or of having none

extension ErrorResponse {
    /// No replica is available: all are down, or draining.
    package static let noServerAvailable = ErrorResponse(
        503, "Service Unavailable", "No server is available", reason: "no_server_available", retryAfterSeconds: 1)
    /// The request waited for a connection longer than it may.
    package static let queueTimeout = ErrorResponse(
        503, "Service Unavailable", "Timed out waiting for a server", reason: "queue_timeout", retryAfterSeconds: 1)
    /// Too many requests wait already.
    package static let queueFull = ErrorResponse(
        503, "Service Unavailable", "Too many requests are waiting", reason: "queue_full", retryAfterSeconds: 1)
    /// Too many event streams are open.
    package static let tooManyStreams = ErrorResponse(
        503, "Service Unavailable", "Too many streams are open", reason: "too_many_streams", retryAfterSeconds: 5)
    /// The replica could not be reached.
    package static let connectFailed = ErrorResponse(
        502, "Bad Gateway", "Could not connect to the server", reason: "connect_failed")
    /// The replica went away after the request was sent and before it answered. Whether it acted is not known.
    package static let serverReset = ErrorResponse(
        502, "Bad Gateway", "The server closed the connection before it answered", reason: "server_reset")
    /// The replica answered with something that is not HTTP.
    package static let badServerResponse = ErrorResponse(
        502, "Bad Gateway", "The server sent an invalid response", reason: "bad_server_response")
    /// The replica did not begin to answer in time.
    package static let firstByteTimeout = ErrorResponse(
        504, "Gateway Timeout", "The server did not answer in time", reason: "first_byte_timeout")
    /// A fault of Berth's own.
    package static let internalError = ErrorResponse(
        500, "Internal Server Error", "Internal error", reason: "internal_error", closesConnection: true)
}

// MARK: - Sessions

extension ErrorResponse {
    /// The session's replica is gone, or the id is none of ours: the client must initialize again. The one 404 there
    /// is. Answer it with a null id: clients that look for the loss of a session look for that.
    package static let sessionNotFound = ErrorResponse(
        404, "Not Found", code: -32001, "Session not found", reason: "session_gone")
    /// The same for a message of an HTTP+SSE session (2024-11-05), whose servers answer in plain text.
    package static let legacySessionNotFound = ErrorResponse(
        404, "Not Found", code: -32001, "Could not find session", reason: "session_gone", contentType: "text/plain")
}

// MARK: - Faults of the request

extension ErrorResponse {
    /// The head or the framing is not HTTP. What follows on the connection cannot be trusted.
    package static let malformed = ErrorResponse(
        400, "Bad Request", code: -32600, "Malformed HTTP request", reason: "malformed_request", closesConnection: true)
    /// HTTP in clear where TLS is spoken.
    package static let plainHTTP = ErrorResponse(
        400, "Bad Request", code: -32600, "This port speaks TLS: the address begins with https", reason: "plain_http",
        closesConnection: true)
    /// The head did not arrive in time.
    package static let headTimeout = ErrorResponse(
        408, "Request Timeout", code: -32600, "The request head took too long", reason: "head_timeout",
        closesConnection: true)
    /// The body stopped arriving.
    package static let bodyTimeout = ErrorResponse(
        408, "Request Timeout", code: -32600, "The request body took too long", reason: "body_timeout",
        closesConnection: true)
    /// The body is longer than allowed.
    package static let requestTooLarge = ErrorResponse(
        413, "Content Too Large", code: -32600, "The request body is too large", reason: "request_too_large",
        closesConnection: true)
    package static let targetTooLong = ErrorResponse(
        414, "URI Too Long", code: -32600, "The request target is too long", reason: "target_too_long",
        closesConnection: true)
    /// The head is longer than allowed, or has too many fields.
    package static let headTooLarge = ErrorResponse(
        431, "Request Header Fields Too Large", code: -32600, "The request head is too large",
        reason: "head_too_large", closesConnection: true)
    package static let methodNotAllowed = ErrorResponse(
        405, "Method Not Allowed", code: -32600, "Method not allowed", reason: "method_not_allowed",
        allow: "GET, POST, DELETE, OPTIONS")
    /// The request expects something other than `100-continue`.
    package static let expectationFailed = ErrorResponse(
        417, "Expectation Failed", code: -32600, "The expectation cannot be met", reason: "expectation_failed",
        closesConnection: true)
    /// A transfer coding other than chunked.
    package static let codingUnsupported = ErrorResponse(
        501, "Not Implemented", code: -32600, "The transfer coding is not supported", reason: "coding_unsupported",
        closesConnection: true)
    /// An HTTP version other than 1.0 and 1.1.
    package static let versionUnsupported = ErrorResponse(
        505, "HTTP Version Not Supported", code: -32600, "The HTTP version is not supported",
        reason: "version_unsupported", closesConnection: true)
    /// No route matches. Not a 404, which would end sessions.
    package static let noRoute = ErrorResponse(
        421, "Misdirected Request", code: -32600, "No route matches this request", reason: "no_route")
}
