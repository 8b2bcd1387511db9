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
        let listener = listeners[Int(clients[c].listener)].plan
        let trusted = isTrusted(clients[c].address, by: listener)

        composed.append(received, requestHead.methodName.range)
        composed.append(0x20)
        composeTarget(e)
        composed.append(" HTTP/1.1\r\n")
        composeHost(upstream, server: Int(exchanges[e].server))
        copyKeptFields(trusted: trusted, keepsSession: sessions.affinity(upstream) != .signed)
        composeSession(e)
        if requestHead.framing == .chunked { composed.append("transfer-encoding: chunked\r\n") }
        let isSecure = clients[c].isSecure
        composeForwarded(clients[c].address, secure: isSecure, trusted: trusted)
        if isSecure, snapshot.listeners[listener].asksForCertificates { composeClientCertificate(c) }
        composed.append("\r\n")
    }

    private mutating func composeTarget(_ e: Handle) {
        let target = requestHead.target
        guard !target.isEmpty else {
            composed.append("/")
            return
        }
        if exchanges[e].kind == .legacyMessage, let cut = signatureInTarget() {
            composed.append(received, target.lowerBound..<(target.lowerBound + cut.lowerBound))
            composed.append(received, (target.lowerBound + cut.upperBound)..<target.upperBound)
        } else {
            composed.append(received, target)
        }
    }

    private func signatureInTarget() -> Range<Int>? {
        LegacyTarget.signatureParameter(in: received.span.extracting(requestHead.target.range))?.removal
    }

    private mutating func composeHost(_ upstream: Int, server: Int) {
        composed.append("host: ")
        switch snapshot.upstreams[upstream].host {
        case .keep: composed.append(received, requestHead.authority.range)
        case .upstream: composed.append(snapshot.servers[server].authority)
        case .fixed(let name): composed.append(name)
        }
        composed.append("\r\n")
    }

    /// Copies the field lines that go on, in runs. Host is always written anew: an absolute-form target wins over it
    /// (RFC 9112 section 3.2.2).
    private mutating func copyKeptFields(trusted: Bool, keepsSession: Bool) {
        var run = 0..<0
        for index in 0..<requestHead.fields.count {
            let field = requestHead.fields[index]
            if forwards(field, trusted: trusted, keepsSession: keepsSession) {
                run = run.isEmpty ? field.line.range : run.lowerBound..<field.line.upperBound
            } else if !run.isEmpty {
                composed.append(received, run)
                run = 0..<0
            }
        }
        if !run.isEmpty { composed.append(received, run) }
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
        guard exchanges[e].isPinned, exchanges[e].kind == .session, let value = requestHead.sessionID,
            sessions.affinity(Int(exchanges[e].upstreamIndex)) == .signed
        else { return }
        composed.append("mcp-session-id: ")
        SessionAffinity.appendID(of: received, value.range, to: &composed)
        composed.append("\r\n")
    }

    /// Who the client is and how it came, in the words that servers know. Inbound copies are dropped unless the peer is
    /// trusted; then they stand, and only X-Forwarded-For grows. One that Connection names was not copied: ours takes
    /// its place, or the server would take us for the client.
    private mutating func composeForwarded(_ address: SocketAddress, secure: Bool, trusted: Bool) {
        var hasProto = false
        var hasHost = false
        var hasReal = false
        composed.append("x-forwarded-for: ")
        if trusted {
            for index in 0..<requestHead.fields.count {
                let field = requestHead.fields[index]
                switch field.kind {
                case .xForwardedFor:
                    composed.append(received, field.value.range)
                    composed.append(", ")
                case .xForwardedProto: hasProto = hasProto || !field.isHopByHop
                case .xForwardedHost: hasHost = hasHost || !field.isHopByHop
                case .xRealIP: hasReal = hasReal || !field.isHopByHop
                default: break
                }
            }
        }
        address.appendHost(to: &composed)
        composed.append("\r\n")
        if !hasProto { composed.append(secure ? "x-forwarded-proto: https\r\n" : "x-forwarded-proto: http\r\n") }
        if !hasHost, !requestHead.authority.isEmpty {
            composed.append("x-forwarded-host: ")
            composed.append(received, requestHead.authority.range)
            composed.append("\r\n")
        }
        if !hasReal {
            composed.append("x-real-ip: ")
            address.appendHost(to: &composed)
            composed.append("\r\n")
        }
    }

    /// Appends what the scratch holds of the request's body from `offset` on to `composed`, framed for the server, and
    /// drops it from the scratch. False if that ended the exchange.
    mutating func composeBody(_ e: Handle, from start: Int) -> Bool {
        var offset = start
        let chunked = exchanges[e].request.isChunked
        let c = exchanges[e].client
        let limit = snapshot.listeners[listeners[Int(clients[c].listener)].plan].maximumRequestBody
        while true {
            switch exchanges[e].request.next(received, from: offset) {
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
                    composed.append("0\r\n")
                }
                appendTrailer(range)
                offset = range.upperBound
            case .needsMore(let consumed):
                received.consume(consumed)
                return true
            case .end(let end):
                if chunked, !exchanges[e].hasEndedRequest {
                    composed.append(exchanges[e].hasBegunRequestTrailers ? "\r\n" : "0\r\n\r\n")
                    exchanges[e].hasEndedRequest = true
                }
                received.consume(end)
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
        received.clear()
        composed.clear()
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
            composed.append(received, range.range)
            return
        }
        composed.append(hexadecimal: UInt64(range.count))
        composed.append("\r\n")
        composed.append(received, range.range)
        composed.append("\r\n")
    }

    /// Copies a trailer line unless it would change framing, routing or trust after the fact (RFC 9110 section 6.5.1).
    mutating func appendTrailer(_ line: ByteRange) {
        var end = line.lowerBound
        while end < line.upperBound, received.span[end] != UInt8(ascii: ":") { end += 1 }
        if TrailerRules.mayForward(received.span.extracting(line.lowerBound..<end)) { composed.append(received, line) }
    }
}
