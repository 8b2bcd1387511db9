/// A response that the proxy itself sends instead of a server's: a status and a JSON-RPC error with the reason.
///
/// MCP gives statuses a meaning, so all are chosen in this file. 404 ends a session (MCP 2025-03-26, "Session
/// Management") and is used only for a session that does not exist, or where none is named. 400 makes some clients initialize again. Temporary
/// errors are a 5xx. The codes are -32603 (internal error) and -32600 (invalid request) of JSON-RPC 2.0 section 5.1,
/// -32700 (parse error),
/// -32001, which servers and clients use for "Session not found", and -32020 of MCP 2026-07-28. `reason` distinguishes the errors for people and
/// logs.
package struct ErrorResponse: Sendable {
    /// The status code.
    package private(set) var status: UInt16
    /// The reason phrase of the status line.
    package private(set) var phrase: StaticString
    /// The JSON-RPC error code.
    package let code: Int
    /// `error.message`.
    package let message: StaticString
    /// `error.data.reason`: the proxy's own name of the error, lower case with underscores.
    package let reason: StaticString
    /// The value of `Retry-After`, in seconds; nil: the field is not sent.
    package var retryAfterSeconds: UInt32?
    /// `error.data.limit`: the bound that was passed; nil: there is none.
    package var limit: UInt64?
    /// The value of `Allow`; nil: the field is not sent.
    package let allow: StaticString?
    /// Whether the client's connection is closed after the response, because the request was not or cannot be read to
    /// its end.
    package let closesConnection: Bool
    /// The value of `Content-Type`: `application/json`, or `text/plain` where the transport has no JSON-RPC error.
    package let contentType: StaticString
    /// Whether the body has the request's id; null otherwise.
    package let echoesID: Bool
    /// Whether the status hides that this is an error, so that a field of its own has to say it.
    package private(set) var isInBand = false

    private init(
        _ status: UInt16, _ phrase: StaticString, code: Int = -32603, _ message: StaticString, reason: StaticString,
        retryAfterSeconds: UInt32? = nil, allow: StaticString? = nil, closesConnection: Bool = false,
        contentType: StaticString = "application/json", echoesID: Bool = true
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
        // Clients that look for the loss of a session look for a null id.
        self.echoesID = echoesID && status != 404
    }

    /// The same error with status 200: the one answer after which every client of the revisions before 2026-07-28 fails the
    /// call and goes on (MCP 2025-11-25, "Sending Messages to the Server").
    package func inBand() -> ErrorResponse {
        var response = self
        (response.status, response.phrase, response.isInBand) = (200, "OK", true)
        return response
    }

    /// Returns the body. `id` is the raw JSON of the request's id, which must come from `JSONRPC.requestID`; empty for
    /// `null`.
    package func body(id: Span<UInt8>) -> [UInt8] {
        if "\(contentType)" != "application/json" { return Array("\(message)".utf8) }
        var body = Array(#"{"jsonrpc":"2.0","id":"#.utf8)
        if id.isEmpty { body += "null".utf8 }
        for index in id.indices { body.append(id[index]) }
        body += #","error":{"code":\#(code),"message":"\#(message)","data":{"reason":"\#(reason)""#.utf8
        if let retryAfterSeconds { body += ",\"retry_after\":\(retryAfterSeconds)".utf8 }
        if let limit { body += ",\"limit\":\(limit)".utf8 }
        body += "}}}".utf8
        return body
    }
}

// MARK: - Errors of servers and of capacity

extension ErrorResponse {
    /// No server is available: all are down or draining.
    package static let noServerAvailable = ErrorResponse(
        503, "Service Unavailable", "No server is available", reason: "no_server_available", retryAfterSeconds: 1)
    /// The request waited longer for a connection than the queue timeout.
    package static let queueTimeout = ErrorResponse(
        503, "Service Unavailable", "Timed out waiting for a server", reason: "queue_timeout", retryAfterSeconds: 1)
    /// The queue is full.
    package static let queueFull = ErrorResponse(
        503, "Service Unavailable", "Too many requests are waiting", reason: "queue_full", retryAfterSeconds: 1)
    /// Too many event streams are open.
    package static let tooManyStreams = ErrorResponse(
        503, "Service Unavailable", "Too many streams are open", reason: "too_many_streams", retryAfterSeconds: 5)
    /// No connection to the server could be made.
    package static let connectFailed = ErrorResponse(
        502, "Bad Gateway", "Could not connect to the server", reason: "connect_failed")
    /// The server closed the connection after the request was sent and before it answered. It may have processed the
    /// request.
    package static let serverReset = ErrorResponse(
        502, "Bad Gateway", "The server closed the connection before it answered", reason: "server_reset")
    /// The health checks found the server down before it answered, and the configuration ends its calls then. It may have
    /// processed the request.
    package static let serverDown = ErrorResponse(
        502, "Bad Gateway", "The server went down before it answered", reason: "server_down")
    /// The server's response is not valid HTTP.
    package static let badServerResponse = ErrorResponse(
        502, "Bad Gateway", "The server sent an invalid response", reason: "bad_server_response")
    /// The server's response has more bytes than `response_limit` of the route.
    package static let responseTooLarge = ErrorResponse(
        502, "Bad Gateway", "The server's response is larger than response_limit", reason: "response_too_large")
    /// The proxy is short of memory, and what was asked for has not begun.
    package static let memoryShort = ErrorResponse(
        503, "Service Unavailable", "The proxy is short of memory", reason: "memory_limit", retryAfterSeconds: 5)
    /// The server did not begin to answer within the timeout.
    package static let firstByteTimeout = ErrorResponse(
        504, "Gateway Timeout", "The server did not answer in time", reason: "first_byte_timeout")
    /// The proxy ends, and the call would not have been answered in time. It may have been processed.
    package static let shuttingDown = ErrorResponse(
        503, "Service Unavailable", "The proxy is shutting down", reason: "shutting_down", retryAfterSeconds: 1,
        closesConnection: true)
    /// An error of the proxy itself.
    package static let internalError = ErrorResponse(
        500, "Internal Server Error", "Internal error", reason: "internal_error", closesConnection: true)
}

// MARK: - Sessions

extension ErrorResponse {
    /// The session's server is gone, or the session id is not valid here: the client must initialize again (MCP
    /// 2025-03-26, "Session Management"). It is sent with a null id, which clients expect for a lost session.
    package static let sessionNotFound = ErrorResponse(
        404, "Not Found", code: -32001, "Session not found", reason: "session_gone")
    /// The same for a message of an HTTP+SSE session (MCP 2024-11-05), whose servers answer in plain text.
    package static let legacySessionNotFound = ErrorResponse(
        404, "Not Found", code: -32001, "Could not find session", reason: "session_gone", contentType: "text/plain")
}

extension ErrorResponse {
    /// No error: a message for a server that is gone, whose session goes on with another one. Nobody waits for it, and its
    /// client need not know.
    package static let messageForLostServer = ErrorResponse(
        202, "Accepted", "", reason: "message_for_lost_server", contentType: "text/plain")
    /// The session's server cannot be reached now. It may still have the session, so the client must not initialize again:
    /// a 404 would be for ever, and this is one failed call.
    package static let sessionServerUnavailable = ErrorResponse(
        503, "Service Unavailable", "The session's server cannot be reached", reason: "session_server_unavailable",
        retryAfterSeconds: 1)
    /// The table of learned ids is full of sessions that are alive: another one could not be found again.
    package static let sessionTableFull = ErrorResponse(
        503, "Service Unavailable", "Too many sessions are open", reason: "session_table_full", retryAfterSeconds: 30)
}

extension ErrorResponse {
    /// Every server that is available holds as many sessions as it may.
    package static let sessionsFull = ErrorResponse(
        503, "Service Unavailable", "Every server has as many sessions as it may", reason: "sessions_full",
        retryAfterSeconds: 10)
}

// MARK: - Errors of the request

extension ErrorResponse {
    /// The head or the framing is malformed. The connection cannot be used any further.
    package static let malformed = ErrorResponse(
        400, "Bad Request", code: -32600, "Malformed HTTP request", reason: "malformed_request", closesConnection: true)
    /// The client sent plaintext HTTP to a TLS listener.
    package static let plainHTTP = ErrorResponse(
        400, "Bad Request", code: -32600, "This port speaks TLS: the address begins with https", reason: "plain_http",
        closesConnection: true)
    /// The head did not arrive within the timeout.
    package static let headTimeout = ErrorResponse(
        408, "Request Timeout", code: -32600, "The request head took too long", reason: "head_timeout",
        closesConnection: true)
    /// The body did not arrive within the timeout.
    package static let bodyTimeout = ErrorResponse(
        408, "Request Timeout", code: -32600, "The request body took too long", reason: "body_timeout",
        closesConnection: true)
    /// The body is larger than allowed.
    package static let requestTooLarge = ErrorResponse(
        413, "Content Too Large", code: -32600, "The request body is too large", reason: "request_too_large",
        closesConnection: true)
    /// The request target is longer than allowed.
    package static let targetTooLong = ErrorResponse(
        414, "URI Too Long", code: -32600, "The request target is too long", reason: "target_too_long",
        closesConnection: true)
    /// The head is larger than allowed, or has too many fields.
    package static let headTooLarge = ErrorResponse(
        431, "Request Header Fields Too Large", code: -32600, "The request head is too large",
        reason: "head_too_large", closesConnection: true)
    /// The method is none that is forwarded.
    package static let methodNotAllowed = ErrorResponse(
        405, "Method Not Allowed", code: -32600, "Method not allowed", reason: "method_not_allowed",
        allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
    /// The request expects something other than `100-continue`.
    package static let expectationFailed = ErrorResponse(
        417, "Expectation Failed", code: -32600, "The expectation cannot be met", reason: "expectation_failed",
        closesConnection: true)
    /// A transfer coding other than chunked.
    package static let codingUnsupported = ErrorResponse(
        501, "Not Implemented", code: -32600, "The transfer coding is not supported", reason: "coding_unsupported",
        closesConnection: true)
    /// An HTTP version other than 1.x.
    package static let versionUnsupported = ErrorResponse(
        505, "HTTP Version Not Supported", code: -32600, "The HTTP version is not supported",
        reason: "version_unsupported", closesConnection: true)
    /// `Mcp-Method`, `Mcp-Name` or `MCP-Protocol-Version` contradicts the message (MCP 2026-07-28, HeaderMismatch).
    package static let headerMismatch = ErrorResponse(
        400, "Bad Request", code: -32020, "The header fields do not say what the message says",
        reason: "header_mismatch")
    /// The body is JSON, but no single message, or one that two readers would read in two ways.
    package static let ambiguousMessage = ErrorResponse(
        400, "Bad Request", code: -32600, "The body is not one message that can be read in one way only",
        reason: "ambiguous_message")
    /// The body is no JSON text in UTF-8 (JSON-RPC 2.0 section 5.1, Parse error).
    package static let unreadableMessage = ErrorResponse(
        400, "Bad Request", code: -32700, "The body is not JSON in UTF-8", reason: "unreadable_message")
    /// The body is too large for its header fields to be compared with it.
    package static let tooLargeToCheck = ErrorResponse(
        413, "Content Too Large", code: -32600, "The request body is too large for its header fields to be checked",
        reason: "too_large_to_check", closesConnection: true)
    /// The client's address is not among those that are served.
    package static let addressDenied = ErrorResponse(
        403, "Forbidden", code: -32600, "Requests from this address are not served", reason: "address_denied")
    /// The client, or whoever has the same key, has sent too many requests. How long to wait is known when it is sent.
    package static let rateLimited = ErrorResponse(
        429, "Too Many Requests", "Too many requests", reason: "rate_limited", retryAfterSeconds: 1)
    /// The client, or whoever has the same key, has too many requests in progress.
    package static let concurrencyLimited = ErrorResponse(
        503, "Service Unavailable", "Too many requests are in progress", reason: "concurrency_limited",
        retryAfterSeconds: 1)
    /// The client has opened too many event streams.
    package static let streamOpensLimited = ErrorResponse(
        429, "Too Many Requests", "Too many event streams were opened", reason: "stream_opens_limited",
        retryAfterSeconds: 1)
    /// Pages of this origin may not ask (MCP 2025-11-25, "Security Warning"): the body has no id.
    package static let originDenied = ErrorResponse(
        403, "Forbidden", code: -32600, "Requests from this origin are not served", reason: "origin_denied",
        echoesID: false)
    /// There is no such challenge of an ACME client (RFC 8555 section 8.3), whose authority reads no JSON.
    package static let noChallenge = ErrorResponse(
        404, "Not Found", code: -32600, "There is no such challenge", reason: "no_challenge", contentType: "text/plain")
    /// Challenges are only read.
    package static let challengeMethod = ErrorResponse(
        405, "Method Not Allowed", code: -32600, "Method not allowed", reason: "method_not_allowed",
        allow: "GET, HEAD")
    /// No route matches a request without a session.
    package static let noRoute = ErrorResponse(
        404, "Not Found", code: -32600, "No route matches this request", reason: "no_route")
    /// No route matches a request of a session: 404 would end it (MCP 2025-03-26, "Session Management").
    package static let noRouteForSession = ErrorResponse(
        503, "Service Unavailable", "No route matches this request of a session", reason: "no_route_for_session",
        retryAfterSeconds: 5)
    /// No route has the request's host (RFC 9110 section 15.5.20).
    package static let unknownHost = ErrorResponse(
        421, "Misdirected Request", code: -32600, "This host is not served here", reason: "unknown_host",
        echoesID: false)
}

// MARK: - Callers

extension ErrorResponse {
    /// The route asks for a token, and there is none (RFC 6750 section 3, MCP 2025-11-25 "Authorization").
    package static let tokenMissing = ErrorResponse(
        401, "Unauthorized", code: -32600, "A bearer token is needed", reason: "token_missing")
    /// The token is not accepted; the challenge says why.
    package static let tokenInvalid = ErrorResponse(
        401, "Unauthorized", code: -32600, "The token is not accepted", reason: "invalid_token")
    /// The token lacks a scope that the route, or the tool, asks for.
    package static let insufficientScope = ErrorResponse(
        403, "Forbidden", code: -32600, "The token does not allow this", reason: "insufficient_scope")
    /// Nothing could be found out about the token: the issuer's keys are not known, or too many tokens wait.
    package static let tokenNotVerified = ErrorResponse(
        503, "Service Unavailable", "The token cannot be verified now", reason: "token_not_verified",
        retryAfterSeconds: 2)
    /// Which tool is called cannot be told without doubt, and not every tool is allowed.
    package static let unreadableForPolicy = ErrorResponse(
        400, "Bad Request", code: -32600, "The message cannot be compared with what the token allows",
        reason: "unreadable_for_policy")
    /// From the server's list of tools those cannot be left out that the token does not allow: it is too long, which `limit` says, or
    /// no JSON, or in a content coding.
    package static let toolListUnreadable = ErrorResponse(
        502, "Bad Gateway", "The server's tools cannot be compared with what the token allows",
        reason: "tool_list_unreadable")
}
