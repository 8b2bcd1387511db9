import HTTP
import Kernel
import MCP
import Reactor

/// Request heads and bodies as the server gets them.
extension Worker where Outside: ~Copyable {
    /// Puts the head of `e`, which is parsed and at the front of the scratch, into `composed`: runs of kept lines copied
    /// whole, ours at the end.
    mutating func composeRequest(_ e: Handle) {
        let c = exchanges[e].client
        let upstream = Int(exchanges[e].upstreamIndex)
        let listener = clients.listeners[Int(clients[c].listener)].plan
        let trusted = isTrusted(clients[c].address, by: listener)

        io.composed.append(io.received, io.requestHead.methodName.range)
        io.composed.append(0x20)
        composeTarget(e)
        io.composed.append(" HTTP/1.1\r\n")
        composeHost(upstream, server: Int(exchanges[e].server))
        copyKeptFields(trusted: trusted, keepsSession: sessions.affinity(upstream) != .signed)
        composeSession(e)
        if io.requestHead.framing == .chunked { io.composed.append("transfer-encoding: chunked\r\n") }
        let isSecure = clients[c].isSecure
        composeForwarded(clients[c].address, secure: isSecure, trusted: trusted)
        if isSecure, snapshot.listeners[listener].asksForCertificates { composeClientCertificate(c) }
        io.composed.append("\r\n")
    }

    private mutating func composeTarget(_ e: Handle) {
        let target = io.requestHead.target
        guard !target.isEmpty else {
            io.composed.append("/")
            return
        }
        if exchanges[e].kind == .legacyMessage, let cut = signatureInTarget() {
            io.composed.append(io.received, target.lowerBound..<(target.lowerBound + cut.lowerBound))
            io.composed.append(io.received, (target.lowerBound + cut.upperBound)..<target.upperBound)
        } else {
            io.composed.append(io.received, target)
        }
    }

    private func signatureInTarget() -> Range<Int>? {
        LegacyTarget.signatureParameter(in: io.received.span.extracting(io.requestHead.target.range))?.cut
    }

    private mutating func composeHost(_ upstream: Int, server: Int) {
        io.composed.append("host: ")
        switch snapshot.upstreams[upstream].host {
        case .keep: io.composed.append(io.received, io.requestHead.authority.range)
        case .upstream: io.composed.append(snapshot.servers[server].authority)
        case .fixed(let name): io.composed.append(name)
        }
        io.composed.append("\r\n")
    }

    /// Copies the field lines that go on, in runs. Host is always written anew: an absolute-form target wins over it
    /// (RFC 9112 section 3.2.2).
    private mutating func copyKeptFields(trusted: Bool, keepsSession: Bool) {
        var run = 0..<0
        for index in 0..<io.requestHead.fields.count {
            let field = io.requestHead.fields[index]
            if forwards(field, trusted: trusted, keepsSession: keepsSession) {
                run = run.isEmpty ? field.line.range : run.lowerBound..<field.line.upperBound
            } else if !run.isEmpty {
                io.composed.append(io.received, run)
                run = 0..<0
            }
        }
        if !run.isEmpty { io.composed.append(io.received, run) }
    }

    private func forwards(_ field: Field, trusted: Bool, keepsSession: Bool) -> Bool {
        if field.isHopByHop { return false }
        switch field.kind {
        case .host, .forwardedLookalike, .clientCertificate, .transferEncoding, .upgrade, .http2Settings: return false
        case .xForwardedFor: return false  // Written anew with our peer at its end.
        case .forwarded, .xForwardedProto, .xForwardedHost, .xRealIP: return trusted
        case .mcpSessionID: return keepsSession
        default: return true
        }
    }

    /// The sealed id is the client's; the server gets its own back. It was verified when the exchange was pinned.
    private mutating func composeSession(_ e: Handle) {
        guard exchanges[e].isPinned, exchanges[e].kind == .session, let value = io.requestHead.sessionID,
            sessions.affinity(Int(exchanges[e].upstreamIndex)) == .signed
        else { return }
        io.composed.append("mcp-session-id: ")
        SessionAffinity.appendID(of: io.received, value.range, to: &io.composed)
        io.composed.append("\r\n")
    }

    /// Who the client is and how it came, in the words that servers know. Inbound copies are dropped unless the peer is
    /// trusted; then they stand, and only X-Forwarded-For grows. One that Connection names was not copied: ours takes
    /// its place, or the server would take us for the client.
    private mutating func composeForwarded(_ address: SocketAddress, secure: Bool, trusted: Bool) {
        var hasProto = false
        var hasHost = false
        var hasReal = false
        io.composed.append("x-forwarded-for: ")
        if trusted {
            for index in 0..<io.requestHead.fields.count {
                let field = io.requestHead.fields[index]
                switch field.kind {
                case .xForwardedFor:
                    io.composed.append(io.received, field.value.range)
                    io.composed.append(", ")
                case .xForwardedProto: hasProto = hasProto || !field.isHopByHop
                case .xForwardedHost: hasHost = hasHost || !field.isHopByHop
                case .xRealIP: hasReal = hasReal || !field.isHopByHop
                default: break
                }
            }
        }
        address.appendHost(to: &io.composed)
        io.composed.append("\r\n")
        if !hasProto { io.composed.append(secure ? "x-forwarded-proto: https\r\n" : "x-forwarded-proto: http\r\n") }
        if !hasHost, !io.requestHead.authority.isEmpty {
            io.composed.append("x-forwarded-host: ")
            io.composed.append(io.received, io.requestHead.authority.range)
            io.composed.append("\r\n")
        }
        if !hasReal {
            io.composed.append("x-real-ip: ")
            address.appendHost(to: &io.composed)
            io.composed.append("\r\n")
        }
    }

    /// Appends what the scratch holds of the request's body from `offset` on to `composed`, framed for the server, and
    /// drops it from the scratch. False if that ended the exchange.
    mutating func composeBody(_ e: Handle, from start: Int) -> Bool {
        var offset = start
        let chunked = exchanges[e].request.isChunked
        let c = exchanges[e].client
        let limit = snapshot.listeners[clients.listeners[Int(clients[c].listener)].plan].maximumRequestBody
        while true {
            switch exchanges[e].request.next(io.received, from: offset) {
            case .data(let range):
                exchanges[e].requestBytes += UInt64(range.count)
                if exchanges[e].requestBytes > limit {
                    rejectBody(e, .requestTooLarge)
                    return false
                }
                appendData(range, chunked: chunked)
                offset = range.upperBound
            case .trailer(let range):
                if !exchanges[e].hasBegunRequestTrailers {
                    exchanges[e].hasBegunRequestTrailers = true
                    io.composed.append("0\r\n")
                }
                appendTrailer(range)
                offset = range.upperBound
            case .needsMore(let consumed):
                io.received.consume(consumed)
                return true
            case .end(let end):
                if chunked, !exchanges[e].hasEndedRequest {
                    io.composed.append(exchanges[e].hasBegunRequestTrailers ? "\r\n" : "0\r\n\r\n")
                    exchanges[e].hasEndedRequest = true
                }
                io.received.consume(end)
                return true
            case .invalid:
                rejectBody(e, .malformed)
                return false
            }
        }
    }

    /// The rest of a request's body is not acceptable. Once the answer has begun there is no room for another: what we
    /// said would stand in the middle of it.
    private mutating func rejectBody(_ e: Handle, _ errorResponse: ErrorResponse) {
        io.received.clear()
        io.composed.clear()
        guard exchanges[e].phase == .relaying else {
            fail(e, errorResponse)
            return
        }
        let c = exchanges[e].client
        removeExchange(e)
        closeClient(c, reset: true)
    }

    /// Appends a piece of a body from the scratch, as a chunk if so framed (RFC 9112 section 7.1).
    mutating func appendData(_ range: ByteRange, chunked: Bool) {
        guard !range.isEmpty else { return }
        guard chunked else {
            io.composed.append(io.received, range.range)
            return
        }
        io.composed.append(hexadecimal: UInt64(range.count))
        io.composed.append("\r\n")
        io.composed.append(io.received, range.range)
        io.composed.append("\r\n")
    }

    /// Copies a trailer line unless it would change framing, routing or trust after the fact (RFC 9110 section 6.5.1).
    mutating func appendTrailer(_ line: ByteRange) {
        var end = line.lowerBound
        while end < line.upperBound, io.received.span[end] != UInt8(ascii: ":") { end += 1 }
        if TrailerRules.mayForward(io.received.span.extracting(line.lowerBound..<end)) {
            io.composed.append(io.received, line)
        }
    }
}
