import COpenSSL
import TLSRecords

/// A server's SSL_CTX: certificates, ALPN, tickets. All workers read the same one.
///
/// Certificates for the same names with keys of different kinds (ECDSA, RSA) share an SSL_CTX, in which OpenSSL selects
/// the one that the client can verify. Other certificates have an SSL_CTX each, selected by the client's server name
/// (RFC 6066 section 3). A client without a server name, or with an unknown one, gets the first certificate.
///
/// `@unchecked Sendable`: nothing is set after `init`, and OpenSSL changes an SSL_CTX's reference counts atomically.
/// Sessions keep the SSL_CTX alive themselves, so a reload may drop this object at any time.
package final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// The certificates, in the order of `init`.
    package let certificates: [CertificateFacts]
    /// The OCSP responses of `certificates`, in the same order; nil for a certificate without one.
    package let staples: [StapledResponse?]
    /// Connections leave OpenSSL's record layer when their handshake is complete.
    let handsOver: Bool

    /// Reads a chain (leaf first) and its key from PEM files.
    package convenience init(certificateFile: String, keyFile: String, options: TLSOptions) throws(TLSError) {
        try self.init([TLSIdentity(certificate: .file(certificateFile), key: .file(keyFile))], options: options)
    }

    /// Takes a chain (leaf first) and its key in PEM form.
    package convenience init(certificatePEM: [UInt8], keyPEM: [UInt8], options: TLSOptions) throws(TLSError) {
        try self.init([TLSIdentity(certificate: .bytes(certificatePEM), key: .bytes(keyPEM))], options: options)
    }

    /// Takes one or more identities; the first is the default. Throws if one cannot be used, or if two have the same
    /// names and the same kind of key.
    package init(_ identities: [TLSIdentity], options: TLSOptions) throws(TLSError) {
        var builder = ServerContextBuilder(options)
        for identity in identities { try builder.add(identity) }
        certificates = builder.certificates
        staples = builder.staples
        pointer = try builder.build()
        handsOver = options.records == .own && KeyDerivationProvider.query != nil
    }

    deinit { SSL_CTX_free(pointer) }

    /// The number of sessions resumed with a ticket so far, by all workers.
    package var resumptions: Int { Int(berth_SSL_CTX_sess_hits(pointer)) }
}

/// Makes an SSL_CTX with the settings that server and client contexts have in common. The caller frees it.
func makeSSLContext(_ method: OpaquePointer?, _ options: TLSOptions) throws(TLSError) -> OpaquePointer {
    ERR_clear_error()
    let query = options.records == .own ? KeyDerivationProvider.query : nil
    guard let context = SSL_CTX_new_ex(nil, query, method) else { throw .last("making a TLS context") }
    SSL_CTX_set_options(context, berth_SSL_OP_NO_RENEGOTIATION | berth_SSL_OP_NO_COMPRESSION)
    // Idle sessions free their record buffers, and a repeated write may come from another address.
    berth_SSL_CTX_set_mode(context, CLong(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
    berth_SSL_CTX_clear_mode(context, CLong(SSL_MODE_ENABLE_PARTIAL_WRITE))
    berth_SSL_CTX_set_read_ahead(context, 0)
    // Sessions are resumed with tickets only; the server has no session cache.
    berth_SSL_CTX_set_session_cache_mode(context, CLong(SSL_SESS_CACHE_OFF))
    do throws(TLSError) {
        try restrict(context, to: options)
    } catch {
        SSL_CTX_free(context)
        throw error
    }
    return context
}

private func restrict(_ context: OpaquePointer, to options: TLSOptions) throws(TLSError) {
    guard berth_SSL_CTX_set_min_proto_version(context, options.minimumVersion.number) == 1,
        berth_SSL_CTX_set_max_proto_version(context, options.maximumVersion.number) == 1
    else { throw .last("choosing TLS versions") }
    guard berth_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 else { throw .last("choosing groups") }
    // OpenSSL's three suites in OpenSSL's order, which other servers use too: AES-256 first. AES-128 with SHA-256 first
    // would save some 3 % of a full handshake's instructions, more on processors with instructions for SHA-256.
    guard SSL_CTX_set_ciphersuites(context, TLSOptions.suites) == 1 else { throw .last("choosing cipher suites") }
    guard SSL_CTX_set_cipher_list(context, options.ciphers) == 1 else {
        throw .last("choosing ciphers", about: options.ciphers)
    }
    if let weak = weakCipher(of: context) {
        throw TLSError(action: "choosing ciphers", reason: "\(options.ciphers): \(weak) is not safe")
    }
}

/// The name of a cipher in the context that does not encrypt, does not authenticate or is known to be weak; nil if
/// there is none.
private func weakCipher(of context: OpaquePointer) -> String? {
    let list = SSL_CTX_get_ciphers(context)
    for index in 0..<max(0, OPENSSL_sk_num(list)) {
        guard let cipher = OPENSSL_sk_value(list, index).map({ OpaquePointer($0) }) else { continue }
        let isWeak =
            SSL_CIPHER_get_bits(cipher, nil) < 128 || SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null
            || SSL_CIPHER_get_cipher_nid(cipher) == NID_rc4
        if isWeak { return String(cString: SSL_CIPHER_get_name(cipher)) }
    }
    return nil
}
