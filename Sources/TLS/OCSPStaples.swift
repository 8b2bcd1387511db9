import COpenSSL
import Glibc

/// The OCSP responses of one SSL_CTX, each with its certificate: there are two where the certificate is there with an
/// ECDSA key and with an RSA key.
struct OCSPStaples {
    private var entries: [(certificate: OpaquePointer, response: StapledResponse)] = []

    /// Adds the response for a certificate that `context` shows, and makes sessions answer those who ask.
    mutating func add(_ response: StapledResponse, for certificate: OpaquePointer, in context: OpaquePointer) {
        entries.append((certificate, response))
        berth_SSL_CTX_set_status_callback(context) { ssl, _ in
            guard let ssl, let kept = ContextExtraData.of(SSL_get_SSL_CTX(ssl)) else { return SSL_TLSEXT_ERR_NOACK }
            return kept.staples.show(to: ssl)
        }
    }

    /// Called only if the client asks, and once the certificate is chosen.
    private func show(to ssl: OpaquePointer) -> CInt {
        // Where a ticket stands for the certificate there is nothing to vouch for.
        guard SSL_session_reused(ssl) == 0, let chosen = SSL_get_certificate(ssl),
            let response = entries.first(where: { $0.certificate == chosen })?.response,
            response.isFresh(at: Int64(time(nil)))
        else { return SSL_TLSEXT_ERR_NOACK }
        return berth_SSL_staple(ssl, response.bytes, response.bytes.count) == 1
            ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
    }
}
