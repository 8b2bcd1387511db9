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
        guard let admin = control.admin, let mailbox = inbox.mailbox else {
            reject(client, .malformed)
            return
        }
        guard let length = adminLength(client) else { return }
        let exchange = AdminExchange(
            client: client, isHead: io.requestHead.method == .head,
            keepsClient: io.requestHead.isKeepAlive && !lifecycle.isDraining)
        let request = adminRequest(client)
        io.received.consume(length)
        clients[client].gathering = .nothing
        clients[client].pace = 0
        clients[client].needed = 0
        clients[client].phase = .exchanging
        clients.setDeadline(client, .never, &clock)
        admin(request) { mailbox.postAlways(.adminResponse(exchange, $0)) }
    }

    /// The bytes of the request at the front of `io.received`, once all of it is there. Nil: more is awaited, or the request
    /// was refused.
    private mutating func adminLength(_ client: Handle) -> Int? {
        let limit = io.requestHead.method == .post ? AdminRequest.maximumBody : 0
        let extent = RequestExtent(of: io.requestHead, in: io.received, limit: limit, endIsAnnounced: false)
        switch extent {
        case .whole(let length): return length
        case .gathering(let needed): gather(client, needed, as: .body)
        case .gatheringChunks: gather(client, io.received.count + 1, as: .chunkedBody)
        case .invalid: reject(client, .malformed)
        case .tooLarge: reject(client, .requestTooLarge)
        case .streaming: reject(client, io.requestHead.expectsContinue ? .expectationFailed : .requestTooLarge)
        }
        return nil
    }

    private mutating func adminRequest(_ client: Handle) -> AdminRequest {
        let target = io.received.bytes(io.requestHead.target.range)
        let path = target.prefix { $0 != UInt8(ascii: "?") }
        let isPost = io.requestHead.method == .post
        return AdminRequest(
            isPost: isPost, path: String(decoding: path, as: UTF8.self),
            query: String(decoding: target.dropFirst(path.count + 1), as: UTF8.self), fields: adminFields(),
            body: isPost ? adminBody() : [], client: adminClient(client))
    }

    private func adminFields() -> [String: String] {
        var fields: [String: String] = [:]
        for index in 0..<io.requestHead.fields.count {
            let field = io.requestHead.fields[index]
            let name = String(decoding: io.received.bytes(field.name.range), as: UTF8.self).lowercased()
            guard fields[name] == nil else { continue }
            fields[name] = String(decoding: io.received.bytes(field.value.range), as: UTF8.self)
        }
        return fields
    }

    private func adminBody() -> [UInt8] {
        var reader = BodyReader(io.requestHead.framing)
        var body: [UInt8] = []
        var offset = io.requestHead.length
        while true {
            switch reader.next(io.received, from: offset) {
            case .data(let range):
                body += io.received.bytes(range.range)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore, .end, .invalid: return body
            }
        }
    }

    private mutating func adminClient(_ client: Handle) -> AdminRequest.Client {
        let isSocket = clients.listeners[clients.listener(of: client)].plan.socketPath != nil
        guard isSocket else { return .address(clients[client].address) }
        // Whom the socket was opened to was asked when it connected.
        return .user(io.world.peerUser(clients[client].transport.descriptor) ?? ThisProcess.user)
    }

    /// Sends the response that a client of the admin address waits for, if it still does.
    mutating func respondAdmin(_ exchange: AdminExchange, _ response: AdminResponse) {
        let client = exchange.client
        guard clients.contains(client), clients[client].phase == .exchanging else {
            response.stream?.close()
            return
        }
        let keepsClient = exchange.keepsClient && !lifecycle.isDraining && response.stream == nil
        io.append(response, isHead: exchange.isHead, closes: !keepsClient, at: clock.now)
        clients.write(client, &io, &clock)
        guard clients.contains(client) else { return }
        clients[client].hasServed = true
        if let stream = response.stream, !exchange.isHead, let mailbox = inbox.mailbox, stream.open(client, mailbox) {
            control.streams.removeAll(where: \.isClosed)
            control.streams.append(stream)
            return
        }
        response.stream?.close()
        if keepsClient {
            keepClient(client)
        } else {
            clients.linger(client, &io, &clock, metrics)
        }
    }
}

extension Worker where Outside: ~Copyable {
    /// Sends a piece to the client of a stream. If it has not taken what there was before, the piece is lost: a client that
    /// takes nothing at all runs into its write timeout.
    mutating func sendAdmin(_ stream: AdminStream, _ piece: String?) {
        guard let client = stream.takePending(), clients.contains(client), clients[client].phase == .exchanging else {
            stream.close()
            return
        }
        guard let piece else {
            stream.close()
            clients.linger(client, &io, &clock, metrics)
            return
        }
        guard clients[client].transport.output.isEmpty else {
            stream.noteLost(piece)
            return
        }
        io.composed.clear()
        io.composed.append(piece)
        clients.write(client, &io, &clock)
    }
}

extension Worker where Outside: ~Copyable {
    /// The thread leaves: nobody sends anything any more.
    mutating func endAdminStreams() {
        for stream in control.streams {
            let client = stream.takePending()
            stream.close()
            if let client, clients.contains(client) { clients.close(client, reset: false, &io, metrics) }
        }
        control.streams = []
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
        if response.stream == nil {
            composed.append("\r\ncontent-length: ")
            composed.append(decimal: UInt64(response.content?.count ?? response.body.utf8.count))
        }
        for (name, value) in response.fields {
            composed.append("\r\n")
            composed.append(name)
            composed.append(": ")
            composed.append(value)
        }
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
