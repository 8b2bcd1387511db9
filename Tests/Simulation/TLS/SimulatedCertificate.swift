import COpenSSL
package import TLS

/// Certificates of simulated servers and of the worker's listeners, made once per process.
///
/// Their keys are Ed25519's and follow from a byte, so that certificates and signatures have the same length in every
/// process: what a run does must follow from its seed alone.
package enum SimulatedCertificate {
    /// What the certificates are for.
    package static let name = "mcp.test"

    /// The one that everybody trusts, and one that nobody does.
    package static let trusted = make(1)
    package static let untrustedAuthority = make(2)

    /// A server's context that shows `identity`.
    package static func server(
        _ identity: TLSIdentity = trusted.identity, protocols: [String] = ["http/1.1"]
    ) -> TLSContext {
        var options = TLSOptions()
        options.applicationProtocols = protocols
        return orTrap { () throws(TLSError) in try TLSContext([identity], options: options) }
    }

    /// A client's context that accepts only `pem`.
    package static func client(
        trusting pem: [UInt8] = trusted.pem, protocols: [String] = ["http/1.1"], newest: TLSVersion = .v1_3
    ) -> TLSClientContext {
        var options = TLSOptions()
        options.applicationProtocols = protocols
        options.maximumVersion = newest
        return orTrap { () throws(TLSError) in try TLSClientContext(trust: .certificates(pem), options: options) }
    }

    private static func orTrap<Value>(_ body: () throws(TLSError) -> Value) -> Value {
        do throws(TLSError) { return try body() } catch { fatalError("no TLS for the simulation: \(error)") }
    }

    private static func make(_ seed: UInt8) -> (pem: [UInt8], identity: TLSIdentity) {
        let secret = [UInt8](repeating: seed, count: 32)
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, secret, secret.count),
            let certificate = X509_new()
        else { fatalError("no certificate for the simulation") }
        defer {
            X509_free(certificate)
            EVP_PKEY_free(key)
        }
        let text = Array(name.utf8)
        let subject = X509_get_subject_name(certificate)
        X509_set_version(certificate, CLong(X509_VERSION_3))
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), CLong(seed))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600)
        X509_time_adj_ex(X509_getm_notAfter(certificate), 30, 0, nil)
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, CInt(text.count), -1, 0)
        X509_set_issuer_name(certificate, subject)
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        let names = X509V3_EXT_conf_nid(nil, &context, NID_subject_alt_name, "DNS:\(name)")
        X509_add_ext(certificate, names, -1)
        X509_EXTENSION_free(names)
        // Ed25519 has its own digest.
        guard X509_sign(certificate, key, nil) > 0 else { fatalError("no signature for the simulation") }
        let pem = write { PEM_write_bio_X509($0, certificate) }
        let keyPEM = write { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        return (pem, TLSIdentity(certificate: .bytes(pem), key: .bytes(keyPEM)))
    }

    private static func write(_ body: (OpaquePointer) -> CInt) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { fatalError("no memory for a certificate") }
        defer { BIO_free(bio) }
        guard body(bio) == 1 else { fatalError("no PEM for the simulation") }
        var start: UnsafeMutablePointer<CChar>?
        let count = berth_BIO_get_mem_data(bio, &start)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}
