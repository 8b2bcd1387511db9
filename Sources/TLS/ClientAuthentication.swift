import COpenSSL
package import Reactor

/// How a server authenticates its clients by certificate.
package struct ClientAuthentication: Equatable, Sendable {
    /// Whether a client without a certificate is rejected. A certificate that no authority issued is always rejected.
    package var isRequired: Bool
    /// The certificates, in PEM form, of the authorities whose client certificates are accepted.
    package var authorities: CredentialSource

    /// Stores both.
    package init(isRequired: Bool, authorities: CredentialSource) {
        self.isRequired = isRequired
        self.authorities = authorities
    }

    /// Makes a server context request client certificates. Returns a session id context: a hash of this rule. A resumed
    /// session skips the certificate check, so a ticket must be valid only under the rule that it was issued under
    /// (RFC 8446 section 4.2.11).
    func install(in context: OpaquePointer) throws(TLSError) -> [UInt8] {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nil)
        let store = SSL_CTX_get_cert_store(context)
        let certificates = try CertificatePair.certificates(authorities)
        defer { for certificate in certificates { X509_free(certificate) } }
        var material: [UInt8] = [isRequired ? 1 : 0]
        for certificate in certificates {
            var digest = [UInt8](repeating: 0, count: 32)
            guard X509_STORE_add_cert(store, certificate) == 1, SSL_CTX_add_client_CA(context, certificate) == 1,
                X509_digest(certificate, EVP_sha256(), &digest, nil) == 1
            else { throw .last("trusting authorities for clients", about: authorities.name) }
            material += digest
        }
        var name = [UInt8](repeating: 0, count: 32)
        SHA256(material, material.count, &name)
        return name
    }

    /// Says why a file of authorities' certificates cannot be used; nil if it can.
    package static func problem(withAuthorities path: String) -> TLSError? {
        do throws(TLSError) {
            for certificate in try CertificatePair.certificates(.file(path)) { X509_free(certificate) }
            return nil
        } catch {
            return error
        }
    }
}

extension TLSSession {
    /// Whether the peer sent a certificate, in this handshake or in the one being resumed, and its chain was verified.
    package var hasVerifiedPeer: Bool {
        SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == CLong(X509_V_OK)
    }

    /// Appends the subject of the peer's certificate in the form of RFC 4514 ("CN=alice,O=Example"). Bytes other than
    /// printable ASCII are escaped. The text is made at the first call and stored with the session.
    package func appendPeerSubject(to buffer: inout ByteBuffer) {
        guard let text = SSL_get_ex_data(ssl, Self.subjectIndex) ?? makeSubject() else { return }
        let count = strlen(text.assumingMemoryBound(to: CChar.self))
        buffer.append(UnsafeBufferPointer(start: text.assumingMemoryBound(to: UInt8.self), count: count).span)
    }

    private func makeSubject() -> UnsafeMutableRawPointer? {
        guard let certificate = SSL_get0_peer_certificate(ssl), let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, berth_XN_FLAG_RFC2253) >= 0 else {
            return nil
        }
        var start: UnsafeMutablePointer<CChar>?
        let count = berth_BIO_get_mem_data(bio, &start)
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: count + 1)
        for index in 0..<count { text[index] = start?[index] ?? 0 }
        text[count] = 0
        guard SSL_set_ex_data(ssl, Self.subjectIndex, text) == 1 else {
            text.deallocate()
            return nil
        }
        return UnsafeMutableRawPointer(text)
    }

    /// The index of the subject's text in an SSL's extra data; the text is freed with the SSL.
    private static let subjectIndex: CInt = berth_SSL_get_ex_new_index { _, text, _, _, _, _ in
        text?.assumingMemoryBound(to: CChar.self).deallocate()
    }
}
