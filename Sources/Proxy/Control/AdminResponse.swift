package import Kernel
import Reactor

/// A request to the admin address.
package struct AdminRequest: Sendable {
    /// Who asks.
    package enum Client: Sendable, Equatable, CustomStringConvertible {
        /// A process of this user, or of root, by the Unix socket: it needs no token.
        case user(UInt32)
        /// Whoever is at an address.
        case address(SocketAddress)

        package var description: String {
            switch self {
            case .user(let user): "user \(user)"
            case .address(let address): "\(address)"
            }
        }
    }

    /// POST: it is to change something. Else GET or HEAD.
    package var isPost: Bool
    /// The target without its query.
    package var path: String
    /// What follows "?", undecoded; empty if nothing does.
    package var query: String
    /// Fields by their names in lower case; of several with one name, the first.
    package var fields: [String: String]
    /// The content of a POST, at most `maximumBody` bytes.
    package var body: [UInt8]
    package var client: Client

    package init(
        isPost: Bool, path: String, query: String = "", fields: [String: String] = [:], body: [UInt8] = [],
        client: Client
    ) {
        self.isPost = isPost
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.client = client
    }

    /// The value of Authorization; nil if there is none.
    package var authorization: String? { fields["authorization"] }
    /// The value of Accept; nil if there is none.
    package var accept: String? { fields["accept"] }
    /// The value of Accept-Encoding; nil if there is none.
    package var acceptEncoding: String? { fields["accept-encoding"] }
    /// The client came by the Unix socket.
    package var isLocal: Bool { if case .user = client { true } else { false } }
    /// The most that a body may have, in bytes.
    package static var maximumBody: UInt64 { 65_536 }
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

    /// Other fields of the head, by name. They must hold no CR or LF.
    package var fields: KeyValuePairs<String, String> = [:]
    /// What goes on after `body`, until the connection ends; nil: `body` is all there is.
    package var stream: AdminStream?

    package init(status: UInt16, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// The reason phrase of the status line (RFC 9110 section 15).
    var phrase: StaticString {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 303: "See Other"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 501: "Not Implemented"
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
