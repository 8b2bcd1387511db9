import COpenSSL

/// A certificate with its chain and the private key that belongs to it.
struct CertificatePair: ~Copyable {
    let certificate: OpaquePointer
    private(set) var chain: [OpaquePointer] = []
    let key: OpaquePointer

    /// Reads both and sees to it that they belong together.
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

    /// The certificate of whoever issued this one, if it is in the chain or this one is its own.
    var issuer: OpaquePointer? {
        ([certificate] + chain).first { X509_check_issued($0, certificate) == X509_V_OK }
    }

    /// Makes a context show it, beside those of other kinds that it has.
    borrowing func install(in context: OpaquePointer) throws(TLSError) {
        guard SSL_CTX_use_certificate(context, certificate) == 1 else { throw .last("using the certificate") }
        for issuer in chain {
            guard berth_SSL_CTX_add1_chain_cert(context, issuer) == 1 else { throw .last("using the chain") }
        }
        guard SSL_CTX_use_PrivateKey(context, key) == 1 else { throw .last("using the private key") }
    }

    /// All certificates of the source, at least one. The caller frees them.
    static func certificates(_ source: CredentialSource) throws(TLSError) -> [OpaquePointer] {
        let action: StaticString = "reading the certificate"
        return try source.read(action) { (bio) throws(TLSError) in
            var found: [OpaquePointer] = []
            while let next = PEM_read_bio_X509(bio, nil, nil, nil) { found.append(next) }
            // The end of a PEM file shows as a missing start line (PEM_read_bio(3)); any other error is a fault.
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
            // Without a callback OpenSSL would ask for a passphrase on the terminal and wait there.
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
            // Whatever it could not decode, OpenSSL's own word for it is "unsupported".
            throw source.failure(action, "there is no private key in PEM form in it, or none that OpenSSL can read")
        }
    }
}
