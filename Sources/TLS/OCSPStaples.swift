import COpenSSL
import Glibc

/// The OCSP responses of one SSL_CTX, each with its certificate. An SSL_CTX with an ECDSA and an RSA certificate has
/// two. The certificates belong to the SSL_CTX.
struct OCSPStaples {
    private var entries: [(certificate: OpaquePointer, response: StapledResponse)] = []

    /// Adds the response for one of the certificates of `context`, and makes sessions answer a status request
    /// (RFC 6066 section 8).
    mutating func add(_ response: StapledResponse, for certificate: OpaquePointer, in context: OpaquePointer) {
        entries.append((certificate, response))
        berth_SSL_CTX_set_status_callback(context) { ssl, _ in
            guard let ssl, let kept = ContextExtraData.of(SSL_get_SSL_CTX(ssl)) else { return SSL_TLSEXT_ERR_NOACK }
            return kept.staples.answerStatusRequest(of: ssl)
        }
    }

    /// Called only if the client sent a status request, and after the certificate has been selected.
    private func answerStatusRequest(of ssl: OpaquePointer) -> CInt {
        // A resumed session sends no certificate, so there is no status to send.
        guard SSL_session_reused(ssl) == 0, let chosen = SSL_get_certificate(ssl),
            let response = entries.first(where: { $0.certificate == chosen })?.response,
            response.isFresh(at: Int64(time(nil)))
        else { return SSL_TLSEXT_ERR_NOACK }
        return berth_SSL_staple(ssl, response.bytes, response.bytes.count) == 1
            ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
    }
}
