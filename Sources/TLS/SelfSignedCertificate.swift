import COpenSSL

/// Makes self-signed certificates in memory, for demonstrations and tests.
package enum SelfSignedCertificate {
    /// Makes a P-256 key and a certificate for `names` (DNS names and IP addresses; the first is also the subject),
    /// valid from an hour ago until `validDays` days from now. Throws if a name is empty or has other characters than
    /// letters, digits and `. - : _ *`.
    package static func make(
        names: [String], validDays: Int
    ) throws(TLSError) -> (certificatePEM: [UInt8], keyPEM: [UInt8]) {
        ERR_clear_error()
        guard let key = berth_EVP_EC_gen("P-256") else { throw .last("making a key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .last(action) }
        defer { X509_free(certificate) }
        try fill(certificate, names: names, validDays: validDays, key: key)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw .last("signing a certificate") }
        let certificatePEM = try pem { PEM_write_bio_X509($0, certificate) }
        let keyPEM = try pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        return (certificatePEM, keyPEM)
    }

    private static let action: StaticString = "making a certificate"

    private static func fill(
        _ certificate: OpaquePointer, names: [String], validDays: Int, key: OpaquePointer
    ) throws(TLSError) {
        guard let subject = names.first, names.allSatisfy(isPlain) else {
            throw TLSError(
                action: action, reason: "a name is required, and names have only letters, digits and . - : _ *")
        }
        try setSerial(of: certificate)
        let lifetime = CInt(clamping: validDays)
        let text = Array(subject.utf8)
        let name = X509_get_subject_name(certificate)
        // It is valid from an hour ago, for peers whose clock is behind.
        guard X509_set_version(certificate, CLong(X509_VERSION_3)) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), lifetime, 0, nil) != nil,
            X509_set_pubkey(certificate, key) == 1,
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, CInt(text.count), -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { throw .last(action) }
        let alternatives = names.map { isAddress($0) ? "IP:\($0)" : "DNS:\($0)" }
        try add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try add(NID_key_usage, "critical,digitalSignature", to: certificate)
        try add(NID_ext_key_usage, "serverAuth", to: certificate)
        try add(NID_subject_key_identifier, "hash", to: certificate)
        try add(NID_subject_alt_name, alternatives.joined(separator: ","), to: certificate)
    }

    /// 127 random bits, more than the 64 the CA/Browser Forum asks for, and positive (RFC 5280 section 4.1.2.2).
    private static func setSerial(of certificate: OpaquePointer) throws(TLSError) {
        guard let number = BN_new() else { throw .last(action) }
        defer { BN_free(number) }
        guard BN_rand(number, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1,
            BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
        else { throw .last(action) }
    }

    private static func add(_ nid: CInt, _ value: String, to certificate: OpaquePointer) throws(TLSError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let one = X509V3_EXT_conf_nid(nil, &context, nid, value) else { throw .last(action, about: value) }
        defer { X509_EXTENSION_free(one) }
        guard X509_add_ext(certificate, one, -1) == 1 else { throw .last(action, about: value) }
    }

    private static func pem(_ write: (OpaquePointer) -> CInt) throws(TLSError) -> [UInt8] {
        guard let bio = BIO_new(BIO_s_mem()) else { throw .last("writing PEM") }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { throw .last("writing PEM") }
        var start: UnsafeMutablePointer<CChar>?
        let count = berth_BIO_get_mem_data(bio, &start)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    private static func isAddress(_ name: String) -> Bool {
        guard let octets = a2i_IPADDRESS(name) else {
            ERR_clear_error()
            return false
        }
        ASN1_OCTET_STRING_free(octets)
        return true
    }

    /// Whether a name has only characters without a meaning in OpenSSL's extension syntax, in which commas separate
    /// values.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: ".-:_*".utf8.contains(byte)
                }
            }
    }
}
