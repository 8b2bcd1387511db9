import HTTP
import Kernel
import MCP
import Reactor

/// Requests to the admin address.
extension Worker where Outside: ~Copyable {
    /// Takes up a request on an admin listener, at the front of `io.received`. The response comes as a message.
    mutating func receiveAdmin(_ client: Handle) {
        switch io.requestHead.method {
        case .get, .head, .post: break
        default:
            rejectAndKeepAlive(client, .methodNotAllowed)
            return
        }
        guard let admin = control.admin, let mailbox = inbox.mailbox, hasNoContent else {
            reject(client, .malformed)
            return
        }
        let exchange = AdminExchange(
            client: client, isHead: io.requestHead.method == .head,
            keepsClient: io.requestHead.isKeepAlive && !lifecycle.isDraining)
        let request = adminRequest()
        io.received.consume(io.requestHead.length)
        clients[client].phase = .exchanging
        clients.setDeadline(client, .never, &clock)
        admin(request) { mailbox.postAlways(.adminResponse(exchange, $0)) }
    }

    /// No admin request has a body.
    private var hasNoContent: Bool {
        switch io.requestHead.framing {
        case .none: true
        case .length(let length): length == 0
        default: false
        }
    }

    private func adminRequest() -> AdminRequest {
        let target = io.received.bytes(io.requestHead.target.range)
        let path = target.prefix { $0 != UInt8(ascii: "?") }
        return AdminRequest(
            isPost: io.requestHead.method == .post, path: String(decoding: path, as: UTF8.self),
            query: String(decoding: target.dropFirst(path.count + 1), as: UTF8.self),
            authorization: field("authorization"), accept: field("accept"), acceptEncoding: field("accept-encoding"))
    }

    private func field(_ wanted: String) -> String? {
        for index in 0..<io.requestHead.fields.count {
            let field = io.requestHead.fields[index]
            let name = String(decoding: io.received.bytes(field.name.range), as: UTF8.self)
            guard name.lowercased() == wanted else { continue }
            return String(decoding: io.received.bytes(field.value.range), as: UTF8.self)
        }
        return nil
    }

    /// Sends the response that a client of the admin address waits for, if it still does.
    mutating func respondAdmin(_ exchange: AdminExchange, _ response: AdminResponse) {
        let client = exchange.client
        guard clients.contains(client), clients[client].phase == .exchanging else { return }
        let keepsClient = exchange.keepsClient && !lifecycle.isDraining
        io.append(response, isHead: exchange.isHead, closes: !keepsClient, at: clock.now)
        clients.write(client, &io, &clock)
        guard clients.contains(client) else { return }
        clients[client].hasServed = true
        if keepsClient {
            keepClient(client)
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
        composed.append(" ")
        composed.append(response.phrase)
        composed.append("\r\ncontent-type: ")
        composed.append(response.contentType)
        composed.append("\r\ncontent-length: ")
        composed.append(decimal: UInt64(response.content?.count ?? response.body.utf8.count))
        if let coding = response.contentEncoding {
            composed.append("\r\ncontent-encoding: ")
            composed.append(coding)
        }
        if response.status == 401 { composed.append("\r\nwww-authenticate: Bearer") }
        composed.append("\r\ncache-control: no-store\r\nserver: berth\r\n")
        appendDate(at: now)
        if closes { composed.append("connection: close\r\n") }
        composed.append("\r\n")
        guard !isHead else { return }
        if let content = response.content { composed.append(content) } else { composed.append(response.body) }
    }
}
