import COpenSSL

/// An OCSP response (RFC 6960) for one certificate. A server shows it to clients that ask for one in their handshake
/// (RFC 6066 section 8), which spares them asking the authority, and the authority knowing who talks to whom.
package struct StapledResponse: Sendable {
    let bytes: [UInt8]
    /// Since when what it says has been known to be right, in seconds since 1970.
    package let thisUpdate: Int64
    /// The last second it may be relied on, since 1970.
    package let nextUpdate: Int64

    /// Clocks may differ by so many seconds.
    private static let tolerance: Int64 = 300
    private static let reading: StaticString = "reading the OCSP response"

    /// Reads the staple of an identity; nil if it has none. Throws if the response is not a good word of the
    /// certificate's authority for the certificate. Whether it is out of date is another question: see `problem(at:)`.
    package static func inspect(_ identity: TLSIdentity) throws(TLSError) -> StapledResponse? {
        guard let staple = identity.staple else { return nil }
        return try StapledResponse(
            staple, for: CertificatePair(certificate: identity.certificate, key: identity.key))
    }

    /// The authority's signature is checked where its certificate is in the pair's chain; without it, that the
    /// response names the same serial number and the same authority must do.
    init(_ source: CredentialSource, for pair: borrowing CertificatePair) throws(TLSError) {
        ERR_clear_error()
        bytes = try source.bytes()
        let basic = try Self.basicResponse(bytes, source)
        defer { OCSP_BASICRESP_free(basic) }
        guard let single = Self.answer(in: basic, for: pair) else {
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

    /// Whether it may be shown at `now`, in seconds since 1970.
    func isFresh(at now: Int64) -> Bool { now <= nextUpdate && now + Self.tolerance >= thisUpdate }

    /// Why it must not be shown at `now` (seconds since 1970); nil if it may.
    package func problem(at now: Int64) -> TLSError? {
        if isFresh(at: now) { return nil }
        let action: StaticString = "checking the OCSP response"
        if now > nextUpdate {
            return TLSError(action: action, reason: "it expired on \(CertificateFacts.text(nextUpdate))")
        }
        return TLSError(action: action, reason: "it is not valid before \(CertificateFacts.text(thisUpdate))")
    }

    /// The caller frees the result.
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

    /// What the response says of the pair's certificate; borrowed from the response.
    private static func answer(in basic: OpaquePointer, for pair: borrowing CertificatePair) -> OpaquePointer? {
        for index in 0..<max(0, OCSP_resp_count(basic)) {
            guard let single = OCSP_resp_get0(basic, index), let id = OCSP_SINGLERESP_get0_id(single) else { continue }
            if names(id, pair) { return single }
        }
        return nil
    }

    /// Whether a CertID (RFC 6960 section 4.1.1) stands for the pair's certificate.
    private static func names(_ id: OpaquePointer, _ pair: borrowing CertificatePair) -> Bool {
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

    /// Whether the authority signed it, or somebody it has charged with that (RFC 6960 section 4.2.2.2).
    private static func isSigned(_ basic: OpaquePointer, by issuer: OpaquePointer) -> Bool {
        guard let store = X509_STORE_new(), let signers = OPENSSL_sk_new_null() else { return false }
        defer {
            X509_STORE_free(store)
            OPENSSL_sk_free(signers)
        }
        // The authority itself is the end of the chain. What is out of its time is told of each thing by itself.
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME))
        guard X509_STORE_add_cert(store, issuer) == 1, OPENSSL_sk_push(signers, UnsafeRawPointer(issuer)) > 0 else {
            return false
        }
        return OCSP_basic_verify(basic, signers, store, 0) == 1
    }
}
