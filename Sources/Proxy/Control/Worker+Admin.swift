import HTTP
import Kernel
import MCP
import Reactor

/// What an admin page answers.
package struct AdminResponse: Sendable {
    /// The status code. The reason phrase is fixed for 200 and 404 and "Service Unavailable" for all others.
    package var status: UInt16
    /// The value of Content-Type (RFC 9110 section 8.3), written as it is: it must hold no CR or LF.
    package var contentType: String
    /// The content, sent as UTF-8 with a Content-Length; HEAD gets only the length.
    package var body: String

    package init(status: UInt16, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// Answers a GET on the admin address by its path. Called on the control thread; must not block.
package typealias AdminHandler = @Sendable (_ path: String) -> AdminResponse

extension Worker where Outside: ~Copyable {
    /// Answers a request on an admin listener, at the front of `io.received`.
    mutating func respondAdmin(_ client: Handle) {
        guard io.requestHead.method == .get || io.requestHead.method == .head else {
            rejectAndKeepAlive(client, .methodNotAllowed)
            return
        }
        guard let admin = control.admin, io.requestHead.framing == .none else {
            reject(client, .malformed)
            return
        }
        let path = io.received.bytes(io.requestHead.target.range).prefix { $0 != UInt8(ascii: "?") }
        let response = admin(String(decoding: path, as: UTF8.self))
        let keepsClient = io.requestHead.isKeepAlive && !lifecycle.isDraining && !clients.isStream(client)
        io.append(response, isHead: io.requestHead.method == .head, closes: !keepsClient, at: clock.now)
        io.received.consume(io.requestHead.length)
        clients.write(client, &io, &clock)
        guard clients.contains(client) else { return }
        clients[client].hasServed = true
        if keepsClient {
            clients.awaitRequest(client, &clock)
        } else {
            clients.linger(client, &io, &clock, metrics)
        }
    }
}

extension ConnectionIO where Outside: ~Copyable {
    /// A whole response of an admin page.
    fileprivate mutating func append(_ response: AdminResponse, isHead: Bool, closes: Bool, at now: Instant) {
        composed.clear()
        composed.append("HTTP/1.1 ")
        composed.append(decimal: UInt64(response.status))
        composed.append(
            response.status == 200 ? " OK" : response.status == 404 ? " Not Found" : " Service Unavailable")
        composed.append("\r\ncontent-type: ")
        composed.append(response.contentType)
        composed.append("\r\ncontent-length: ")
        composed.append(decimal: UInt64(response.body.utf8.count))
        composed.append("\r\ncache-control: no-store\r\nserver: berth\r\n")
        appendDate(at: now)
        if closes { composed.append("connection: close\r\n") }
        composed.append("\r\n")
        if !isHead { composed.append(response.body) }
    }
}
