import Kernel
import Reactor
import TLS

/// What servers are told of clients' certificates.
extension Worker where Outside: ~Copyable {
    /// Whether the client showed a certificate that an authority of ours vouches for, and whose it is. Nobody else can
    /// say so: what comes in under these names is dropped.
    mutating func composeClientCertificate(_ c: Handle) {
        let holder = connection(of: c)
        guard clients.contains(holder), let session = clients[holder].tls.take() else { return }
        io.composed.append("x-client-cert-verified: ")
        if session.hasVerifiedPeer {
            io.composed.append("true\r\nx-client-cert-subject: ")
            session.appendPeerSubject(to: &io.composed)
            io.composed.append("\r\n")
        } else {
            io.composed.append("false\r\n")
        }
        clients[holder].tls = consume session
    }
}
