import Configuration
import Reactor
import TLS
import Tokens

/// Callers who show a certificate and no token.
extension Worker where Outside: ~Copyable {
    /// Who has sent a request without a token, by the certificate that its client has shown; nil if that says nothing, or the route
    /// does not go by it.
    mutating func certificateCaller(_ exchange: Handle, _ auth: RouteAuth) -> CallerIdentity? {
        guard let kind = auth.configuration.certificate else { return nil }
        let client = exchanges[exchange].client
        let socket = clients.socket(of: client)
        guard clients.listeners[clients.listener(of: client)].plan.asksForCertificates, clients.contains(socket),
            clients[client].isSecure
        else { return nil }
        if let known = exchanges.authentication.certificate(of: socket, route: auth.number) { return known }
        guard let session = clients[socket].transport.tls.take() else { return nil }
        let name = session.verifiedName(PeerName(kind))
        clients[socket].transport.tls = consume session
        guard let name else { return nil }
        let caller = auth.identity(
            of: VerifiedToken(
                issuer: "certificate:\(kind.rawValue)", subject: name,
                scopes: Set(auth.configuration.certificateScopes),
                claims: ["sub": name]))
        exchanges.authentication.noteCertificate(caller, of: socket, route: auth.number)
        return caller
    }
}

extension PeerName {
    fileprivate init(_ identity: AuthConfiguration.CertificateIdentity) {
        switch identity {
        case .subject: self = .subject
        case .commonName: self = .commonName
        case .uri: self = .uri
        case .dns: self = .dns
        }
    }
}
