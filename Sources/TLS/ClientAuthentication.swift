import COpenSSL
package import Reactor

/// Whether clients are asked for certificates, and who must vouch for them.
package struct ClientAuthentication: Equatable, Sendable {
    /// Whether clients without a certificate are turned away. One that nobody vouches for is never accepted.
    package var isRequired: Bool
    /// Certificates, in PEM form, of the authorities that may vouch.
    package var authorities: CredentialSource

    package init(isRequired: Bool, authorities: CredentialSource) {
        self.isRequired = isRequired
        self.authorities = authorities
    }

    /// Makes a server context ask. Returns what tells tickets of this rule from those of any other: a ticket stands
    /// in for the certificate, so it must not be good where others are asked for, or all (RFC 8446 section 4.2.11).
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

    /// Why the certificates of authorities in a file cannot be used; nil if they can.
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
    /// The peer showed a certificate, in this handshake or in the one that is resumed, and an authority vouches for it.
    package var hasVerifiedPeer: Bool {
        SSL_get0_peer_certificate(ssl) != nil && SSL_get_verify_result(ssl) == CLong(X509_V_OK)
    }

    /// Appends the subject of the peer's certificate as RFC 4514 has it ("CN=alice,O=Example"): printable ASCII, what
    /// is not is escaped. Made when first asked for, and kept with the session.
    package func appendPeerSubject(to buffer: inout ByteBuffer) {
        guard let text = SSL_get_ex_data(ssl, Self.subjectSlot) ?? makeSubject() else { return }
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
        guard SSL_set_ex_data(ssl, Self.subjectSlot, text) == 1 else {
            text.deallocate()
            return nil
        }
        return UnsafeMutableRawPointer(text)
    }

    private static let subjectSlot: CInt = berth_SSL_get_ex_new_index { _, text, _, _, _, _ in
        text?.assumingMemoryBound(to: CChar.self).deallocate()
    }
}
