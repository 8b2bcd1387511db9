import HTTP
import Kernel
import MCP
import Reactor
import TLS

/// The parts of a request head as the server gets it: runs of kept lines copied whole, ours at the end. The head must be
/// parsed and at the front of `received`; all append to `composed`.
extension ConnectionIO where Outside: ~Copyable {
    /// The request target; `hidesSignature` leaves our signature of a legacy endpoint out. An empty path is "/"
    /// (RFC 9112 section 3.2.1), and `*` where OPTIONS asks about the whole server (section 3.2.4).
    mutating func appendTarget(hidesSignature: Bool) {
        let target = requestHead.target
        guard !target.isEmpty else {
            composed.append(requestHead.method == .options ? "*" : "/")
            return
        }
        if received.span[target.lowerBound] == UInt8(ascii: "?") { composed.append("/") }
        guard hidesSignature,
            let cut = LegacyTarget.signatureParameter(in: received.span.extracting(target.range))?.removal
        else {
            composed.append(received, target)
            return
        }
        composed.append(received, target.lowerBound..<(target.lowerBound + cut.lowerBound))
        composed.append(received, (target.lowerBound + cut.upperBound)..<target.upperBound)
    }

    /// Has the server answer without a content coding: an endpoint event must be read, and comments put between events.
    mutating func withholdAcceptEncoding() {
        let name = Array("accept-encoding".utf8)
        for index in 0..<requestHead.fields.count where received.hasName(requestHead.fields[index], name) {
            requestHead.fields[index].isHopByHop = true
        }
    }

    /// Has the server begin a stream with what comes next: what the client has seen last was another server's.
    mutating func withholdLastEventID() {
        for index in 0..<requestHead.fields.count {
            if case .lastEventID = requestHead.fields[index].kind { requestHead.fields[index].isHopByHop = true }
        }
    }

    /// The request fields that are forwarded as they are.
    mutating func appendKeptFields(isTrusted: Bool, keepsSession: Bool) {
        FieldCopier.copy(requestHead.fields, from: received, to: &composed) {
            Self.forwards($0, isTrusted: isTrusted, keepsSession: keepsSession)
        }
    }

    private static func forwards(_ field: Field, isTrusted: Bool, keepsSession: Bool) -> Bool {
        if field.isHopByHop { return false }
        switch field.kind {
        case .host, .forwardedLookalike, .clientCertificate, .transferEncoding, .upgrade, .http2Settings: return false
        case .xForwardedFor: return false  // Written anew with our peer at its end.
        case .forwarded, .xForwardedProto, .xForwardedHost, .xRealIP, .forwardedClaim: return isTrusted
        case .mcpSessionID: return keepsSession
        default: return true
        }
    }

    /// Who the client is and how it came, in the words that servers know. Inbound copies are dropped unless the peer is
    /// trusted; then they stay, and only X-Forwarded-For grows. One that Connection names was not copied: ours takes its
    /// place, or the server would take us for the client. `source`: whom a trusted peer names in a field of its own.
    mutating func appendForwarded(
        _ address: SocketAddress, namedAs source: SocketAddress?, isSecure: Bool, isTrusted: Bool
    ) {
        var hasChain = false
        var hasProto = false
        var hasHost = false
        var hasReal = false
        composed.append("x-forwarded-for: ")
        if isTrusted {
            for index in 0..<requestHead.fields.count {
                let field = requestHead.fields[index]
                switch field.kind {
                case .xForwardedFor:
                    composed.append(received, field.value.range)
                    composed.append(", ")
                    hasChain = true
                case .xForwardedProto: hasProto = hasProto || !field.isHopByHop
                case .xForwardedHost: hasHost = hasHost || !field.isHopByHop
                case .xRealIP: hasReal = hasReal || !field.isHopByHop
                default: break
                }
            }
        }
        if let source, !hasChain {
            source.appendHost(to: &composed)
            composed.append(", ")
        }
        address.appendHost(to: &composed)
        composed.append("\r\n")
        if !hasProto { composed.append(isSecure ? "x-forwarded-proto: https\r\n" : "x-forwarded-proto: http\r\n") }
        if !hasHost, !requestHead.authority.isEmpty {
            composed.append("x-forwarded-host: ")
            composed.append(received, requestHead.authority.range)
            composed.append("\r\n")
        }
        if !hasReal {
            composed.append("x-real-ip: ")
            (source ?? address).appendHost(to: &composed)
            composed.append("\r\n")
        }
    }

    /// Whether the client showed a certificate that an authority of ours vouches for, and whose it is. Nobody else can
    /// say so: what comes in under these names is dropped.
    mutating func appendClientCertificate(_ transport: inout Transport) {
        guard let session = transport.tls.take() else { return }
        composed.append("x-client-cert-verified: ")
        if session.hasVerifiedPeer {
            composed.append("true\r\nx-client-cert-subject: ")
            session.appendPeerSubject(to: &composed)
            composed.append("\r\n")
        } else {
            composed.append("false\r\n")
        }
        transport.tls = consume session
    }

    /// A piece of a body from `received`, as a chunk if so framed (RFC 9112 section 7.1).
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

    /// A trailer line, unless it would change framing, routing or trust after the fact (RFC 9110 section 6.5.1).
    mutating func appendTrailer(_ line: ByteRange) {
        var end = line.lowerBound
        while end < line.upperBound, received.span[end] != UInt8(ascii: ":") { end += 1 }
        if TrailerRules.mayForward(received.span.extracting(line.lowerBound..<end)) { composed.append(received, line) }
    }
}
