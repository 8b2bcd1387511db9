import COpenSSL

/// A certificate with its chain and the private key that belongs to it. Owns the OpenSSL objects and frees them.
struct CertificatePair: ~Copyable {
    let certificate: OpaquePointer
    private(set) var chain: [OpaquePointer] = []
    let key: OpaquePointer

    /// Reads both. Throws if either cannot be read, or if the key does not belong to the first certificate.
    init(certificate: CredentialSource, key: CredentialSource) throws(TLSError) {
        var chain = try Self.certificates(certificate)
        let privateKey: OpaquePointer
        do throws(TLSError) {
            privateKey = try Self.key(key)
        } catch {
            for one in chain { X509_free(one) }
            throw error
        }
        guard X509_check_private_key(chain[0], privateKey) == 1 else {
            for one in chain { X509_free(one) }
            EVP_PKEY_free(privateKey)
            throw key.failure(
                "matching key and certificate", "the private key does not belong to the (first) certificate")
        }
        self.certificate = chain.removeFirst()
        self.chain = chain
        self.key = privateKey
    }

    deinit {
        X509_free(certificate)
        for one in chain { X509_free(one) }
        EVP_PKEY_free(key)
    }

    /// The issuer's certificate, if the chain contains it or the certificate is self-signed. The pair keeps ownership.
    var issuer: OpaquePointer? {
        ([certificate] + chain).first { X509_check_issued($0, certificate) == X509_V_OK }
    }

    /// Adds the pair to a context, which keeps references of its own. A context may have one pair for each kind of key.
    borrowing func install(in context: OpaquePointer) throws(TLSError) {
        guard SSL_CTX_use_certificate(context, certificate) == 1 else { throw .last("using the certificate") }
        for issuer in chain {
            guard berth_SSL_CTX_add1_chain_cert(context, issuer) == 1 else { throw .last("using the chain") }
        }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else { throw .last("using the private key") }
    }

    /// Reads all certificates of the source, at least one. The caller frees them.
    static func certificates(_ source: CredentialSource) throws(TLSError) -> [OpaquePointer] {
        let action: StaticString = "reading the certificate"
        return try source.read(action) { (bio) throws(TLSError) in
            var found: [OpaquePointer] = []
            while let next = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(next) }
            // At the end of a PEM file OpenSSL reports a missing start line (PEM_read_bio(3)). Any other error is real.
            let code = ERR_peek_last_error()
            let atEnd = code == 0 || (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
            if atEnd, !found.isEmpty {
                ERR_clear_error()
                return found
            }
            for one in found { X509_free(one) }
            if atEnd { throw source.failure(action, "there is no certificate in PEM form in it") }
            throw source.failure(action, "malformed PEM (\(TLSError.reason(code)))")
        }
    }

    private static func key(_ source: CredentialSource) throws(TLSError) -> OpaquePointer {
        let action: StaticString = "reading the private key"
        return try source.read(action) { (bio) throws(TLSError) in
            var askedForPassphrase = false
            // Without a callback OpenSSL would prompt for a passphrase on the terminal and block.
            let key = withUnsafeMutablePointer(to: &askedForPassphrase) { asked in
                PEM_read_bio_PrivateKey(
                    bio, nil,
                    { _, _, _, asked in
                        asked?.assumingMemoryBound(to: Bool.self).pointee = true
                        return -1
                    }, asked)
            }
            if let key {
                ERR_clear_error()
                return key
            }
            if askedForPassphrase { throw source.failure(action, "the key is protected by a passphrase") }
            // OpenSSL reports every undecodable key as "unsupported", so its reason is not repeated here.
            throw source.failure(action, "there is no private key in PEM form in it, or none that OpenSSL can read")
        }
    }
}
