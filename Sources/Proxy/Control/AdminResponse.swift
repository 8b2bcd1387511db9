import Reactor

/// A request to the admin address.
package struct AdminRequest: Sendable {
    /// POST: it is to change something. Else GET or HEAD.
    package var isPost: Bool
    /// The target without its query.
    package var path: String
    /// What follows "?", undecoded; empty if nothing does.
    package var query: String
    /// The value of Authorization; nil if there is none.
    package var authorization: String?
    /// The value of Accept; nil if there is none.
    package var accept: String?
    /// The value of Accept-Encoding; nil if there is none.
    package var acceptEncoding: String?

    package init(
        isPost: Bool = false, path: String, query: String = "", authorization: String? = nil, accept: String? = nil,
        acceptEncoding: String? = nil
    ) {
        self.isPost = isPost
        self.path = path
        self.query = query
        self.authorization = authorization
        self.accept = accept
        self.acceptEncoding = acceptEncoding
    }
}

/// What an admin page answers.
package struct AdminResponse: Sendable {
    /// The status code.
    package var status: UInt16
    /// The value of Content-Type (RFC 9110 section 8.3), written as it is: it must hold no CR or LF.
    package var contentType: String
    /// The content, sent as UTF-8 with a Content-Length; HEAD gets only the length.
    package var body: String
    /// The content, if it is not `body`.
    package var content: [UInt8]?
    /// The value of Content-Encoding; nil: there is none.
    package var contentEncoding: StaticString?

    package init(status: UInt16, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// The reason phrase of the status line (RFC 9110 section 15).
    var phrase: StaticString {
        switch status {
        case 200: "OK"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 422: "Unprocessable Content"
        default: "Service Unavailable"
        }
    }
}

/// Answers a request on the admin address. Called on the control thread; must not block. It calls `respond` once, then or
/// later, from any thread.
package typealias AdminHandler =
    @Sendable (_ request: AdminRequest, _ respond: @escaping @Sendable (AdminResponse) -> Void) -> Void

/// A client of the admin address that waits for a response.
package struct AdminExchange: Sendable {
    let client: Handle
    /// HEAD: the response has no body.
    let isHead: Bool
    let keepsClient: Bool
}
