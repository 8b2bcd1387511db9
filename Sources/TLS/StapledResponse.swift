import COpenSSL

/// An OCSP response (RFC 6960) for one certificate. A server sends it to clients that request one in their handshake
/// (RFC 6066 section 8). The client then need not query the authority, which would reveal to it which server the client
/// uses.
package struct StapledResponse: Sendable {
    let bytes: [UInt8]
    /// The time at which the status was known to be correct (thisUpdate), in seconds since 1970.
    package let thisUpdate: Int64
    /// The last second in which it is valid (nextUpdate), in seconds since 1970.
    package let nextUpdate: Int64

    /// The accepted difference between the responder's clock and this one, in seconds.
    private static let tolerance: Int64 = 300
    private static let reading: StaticString = "reading the OCSP response"

    /// Reads the OCSP response of an identity; nil if it has none. Throws if the response does not say that the
    /// certificate is good, or is not signed by its authority. It does not check the dates: `problem(at:)` does.
    package static func inspect(_ identity: TLSIdentity) throws(TLSError) -> StapledResponse? {
        guard let staple = identity.staple else { return nil }
        return try StapledResponse(
            staple, for: CertificatePair(certificate: identity.certificate, key: identity.key))
    }

    /// Checks the authority's signature if the authority's certificate is in the pair's chain. Without it, only the
    /// serial number and the authority's name are compared.
    init(_ source: CredentialSource, for pair: borrowing CertificatePair) throws(TLSError) {
        ERR_clear_error()
        bytes = try source.bytes()
        let basic = try Self.basicResponse(bytes, source)
        defer { OCSP_BASICRESP_free(basic) }
        guard let single = Self.singleResponse(in: basic, for: pair) else {
            throw source.failure(Self.reading, "it is about another certificate than the one beside it")
        }
        if let issuer = pair.issuer, !Self.isSigned(basic, by: issuer) {
            let reason = TLSError.reason(ERR_peek_last_error())
            throw source.failure(Self.reading, "the certificate's authority has not signed it (\(reason))")
        }
        var reason: CInt = 0
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        let status = OCSP_single_get0_status(single, &reason, &revoked, &this, &next)
        guard status == V_OCSP_CERTSTATUS_GOOD else {
            let word = OCSP_cert_status_str(CLong(status)).map { String(cString: $0) } ?? "\(status)"
            throw source.failure(Self.reading, "it says that the certificate is \(word)")
        }
        guard let thisUpdate = this.flatMap({ CertificateFacts.seconds($0) }),
            let nextUpdate = next.flatMap({ CertificateFacts.seconds($0) })
        else { throw source.failure(Self.reading, "it does not say until when it is good (nextUpdate)") }
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
    }

    /// Whether it may be sent at `now`, in seconds since 1970.
    func isFresh(at now: Int64) -> Bool { now <= nextUpdate && now + Self.tolerance >= thisUpdate }

    /// Says why it must not be sent at `now` (seconds since 1970); nil if it may.
    package func problem(at now: Int64) -> TLSError? {
        if isFresh(at: now) { return nil }
        let action: StaticString = "checking the OCSP response"
        if now > nextUpdate {
            return TLSError(action: action, reason: "it expired on \(CertificateFacts.text(nextUpdate))")
        }
        return TLSError(action: action, reason: "it is not valid before \(CertificateFacts.text(thisUpdate))")
    }

    /// Decodes the response's DER form. The caller frees the result.
    private static func basicResponse(
        _ bytes: [UInt8], _ source: CredentialSource
    ) throws(TLSError) -> OpaquePointer {
        let (response, isWhole) = bytes.withUnsafeBufferPointer { bytes -> (OpaquePointer?, Bool) in
            var position = bytes.baseAddress
            let response = d2i_OCSP_RESPONSE(nil, &position, bytes.count)
            return (response, position == bytes.baseAddress.map { $0 + bytes.count })
        }
        defer { OCSP_RESPONSE_free(response) }
        guard let response, isWhole else {
            throw source.failure(reading, "there is no OCSP response in DER form in it, or more than one")
        }
        let status = OCSP_response_status(response)
        guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
            let word = OCSP_response_status_str(CLong(status)).map { String(cString: $0) } ?? "\(status)"
            throw source.failure(reading, "it is no answer: the responder said \(word)")
        }
        guard let basic = OCSP_response_get1_basic(response) else {
            throw source.failure(reading, "it is of a kind that OpenSSL does not know")
        }
        return basic
    }

    /// The status of the pair's certificate in the response, which keeps ownership.
    private static func singleResponse(in basic: OpaquePointer, for pair: borrowing CertificatePair) -> OpaquePointer? {
        for index in 0..<max(0, OCSP_resp_count(basic)) {
            guard let single = OCSP_resp_get0(basic, index), let id = OCSP_SINGLERESP_get0_id(single) else { continue }
            if identifies(id, pair) { return single }
        }
        return nil
    }

    /// Whether a CertID (RFC 6960 section 4.1.1) identifies the pair's certificate.
    private static func identifies(_ id: OpaquePointer, _ pair: borrowing CertificatePair) -> Bool {
        var nameHash: UnsafeMutablePointer<ASN1_OCTET_STRING>?
        var algorithm: OpaquePointer?
        var keyHash: UnsafeMutablePointer<ASN1_OCTET_STRING>?
        var serial: UnsafeMutablePointer<ASN1_INTEGER>?
        guard OCSP_id_get0_info(&nameHash, &algorithm, &keyHash, &serial, id) == 1,
            ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(pair.certificate)) == 0,
            let digest = EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm)))
        else { return false }
        var expected = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: CUnsignedInt = 0
        guard X509_NAME_digest(X509_get_issuer_name(pair.certificate), digest, &expected, &count) == 1,
            isEqual(nameHash, expected, count)
        else { return false }
        guard let issuer = pair.issuer else { return true }
        return X509_pubkey_digest(issuer, digest, &expected, &count) == 1 && isEqual(keyHash, expected, count)
    }

    private static func isEqual(
        _ string: UnsafePointer<ASN1_OCTET_STRING>?, _ bytes: [UInt8], _ count: CUnsignedInt
    ) -> Bool {
        UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
            .elementsEqual(bytes.prefix(Int(count)))
    }

    /// Whether the authority signed it, or a responder that the authority has delegated (RFC 6960 section 4.2.2.2).
    private static func isSigned(_ basic: OpaquePointer, by issuer: OpaquePointer) -> Bool {
        guard let store = X509_STORE_new(), let signers = OPENSSL_sk_new_null() else { return false }
        defer {
            X509_STORE_free(store)
            OPENSSL_sk_free(signers)
        }
        // The chain ends at the authority, which need not be a root. Dates are checked separately.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME))
        guard X509_STORE_add_cert(store, issuer) == 1, OPENSSL_sk_push(signers, UnsafeRawPointer(issuer)) > 0 else {
            return false
        }
        return OCSP_basic_verify(basic, signers, store, 0) == 1
    }
}
