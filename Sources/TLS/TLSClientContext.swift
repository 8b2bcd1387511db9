import COpenSSL

/// A client's SSL_CTX: the trusted authorities, the client's certificate and the protocol options.
///
/// `@unchecked Sendable`: nothing is set after `init`, and OpenSSL changes its reference counts atomically.
package final class TLSClientContext: @unchecked Sendable {
    /// The authorities whose server certificates a client accepts.
    package enum Trust: Equatable, Sendable {
        /// The system's authorities.
        case system
        /// The authorities of these certificates, in PEM form, and no others.
        case certificates([UInt8])
        /// The server's certificate is not verified: for tests and for trusted networks.
        case anyone
    }

    let pointer: OpaquePointer
    let isVerifying: Bool
    /// The certificate sent to servers that request one, if there is one.
    package let certificate: CertificateFacts?

    /// Makes a context with `trust`, which sends the certificate of `identity` to servers that request one. Unless the
    /// trust is `.anyone`, the server's certificate must also have the name that `TLSEngine.connect` is given.
    package init(
        trust: Trust, identity: TLSIdentity? = nil, options: TLSOptions = TLSOptions()
    ) throws(TLSError) {
        let context = try makeSSLContext(TLS_client_method(), options)
        var certificate: CertificateFacts?
        do throws(TLSError) {
            try Self.apply(trust, to: context)
            try Self.apply(options, to: context)
            if let identity {
                let pair = try CertificatePair(certificate: identity.certificate, key: identity.key)
                try pair.install(in: context)
                certificate = try CertificateFacts(pair)
            }
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        pointer = context
        isVerifying = trust != .anyone
        self.certificate = certificate
    }

    /// Makes a context that trusts the system's authorities, or, if not `verifying`, any certificate.
    package convenience init(verifying: Bool) throws(TLSError) {
        try self.init(trust: verifying ? .system : .anyone)
    }

    deinit { SSL_CTX_free(pointer) }

    private static func apply(_ trust: Trust, to context: OpaquePointer) throws(TLSError) {
        SSL_CTX_set_verify(context, trust == .anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
        switch trust {
        case .anyone: break
        case .system:
            guard SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw .last("finding the system's authorities")
            }
        case .certificates(let pem):
            let store = SSL_CTX_get_cert_store(context)
            for certificate in try CertificatePair.certificates(.bytes(pem)) {
                X509_STORE_add_cert(store, certificate)
                X509_free(certificate)
            }
        }
    }

    private static func apply(_ options: TLSOptions, to context: OpaquePointer) throws(TLSError) {
        if !options.tickets { SSL_CTX_set_options(context, berth_SSL_OP_NO_TICKET) }
        let names = try ProtocolNames(options.applicationProtocols).bytes
        // Unlike most of OpenSSL, SSL_CTX_set_alpn_protos returns 0 for success.
        guard names.isEmpty || SSL_CTX_set_alpn_protos(context, names, CUnsignedInt(names.count)) == 0 else {
            throw .last("offering application protocols")
        }
    }
}
