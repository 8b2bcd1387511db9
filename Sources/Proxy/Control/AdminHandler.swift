import HTTP
import Kernel
import MCP
import Reactor

/// What an admin page answers.
package struct AdminResponse: Sendable {
    package var status: UInt16
    package var contentType: String
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
    /// Answers a request on an admin listener. Always true: it is dealt with on the spot.
    mutating func respondAdmin(_ c: Handle) -> Bool {
        guard io.requestHead.method == .get || io.requestHead.method == .head else {
            return rejectAndKeepAlive(c, .methodNotAllowed)
        }
        guard let admin = control.admin, io.requestHead.framing == .none else {
            reject(c, ErrorResponse.malformed)
            return true
        }
        let path = io.received.bytes(io.requestHead.target.range).prefix { $0 != UInt8(ascii: "?") }
        let response = admin(String(decoding: path, as: UTF8.self))
        let keeps = io.requestHead.isKeepAlive && !lifecycle.isDraining && clients[c].stream == 0
        io.composed.clear()
        io.composed.append("HTTP/1.1 ")
        io.composed.append(decimal: UInt64(response.status))
        io.composed.append(
            response.status == 200 ? " OK" : response.status == 404 ? " Not Found" : " Service Unavailable")
        io.composed.append("\r\ncontent-type: ")
        io.composed.append(response.contentType)
        io.composed.append("\r\ncontent-length: ")
        io.composed.append(decimal: UInt64(response.body.utf8.count))
        io.composed.append("\r\ncache-control: no-store\r\n")
        if !keeps { io.composed.append("connection: close\r\n") }
        io.composed.append("\r\n")
        if io.requestHead.method == .get { io.composed.append(response.body) }
        io.received.consume(io.requestHead.length)
        write(c)
        guard clients.contains(c) else { return true }
        clients[c].hasServed = true
        if keeps { awaitRequest(c) } else { linger(c) }
        return true
    }
}
