import COpenSSL

/// A name in a peer's certificate.
package enum PeerName: Sendable {
    /// All of its subject, in the form of RFC 4514.
    case subject
    /// The one common name of its subject (RFC 4519 section 2.3).
    case commonName
    /// Its one URI (RFC 5280 section 4.2.1.6).
    case uri
    /// The first of its DNS names, in lower case.
    case dns
}

extension TLSSession {
    /// A name in the peer's certificate; nil if it sent none that was verified, or the certificate has no such name, more than one
    /// where there must be one, or one with characters that no such name has.
    package func verifiedName(_ name: PeerName) -> String? {
        guard let ssl, hasVerifiedPeer, let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        let text =
            switch name {
            case .subject: CertificateFacts.distinguishedName(of: certificate)
            case .commonName: CertificateFacts.commonName(of: certificate)
            case .uri: CertificateFacts.uri(of: certificate)
            case .dns: CertificateFacts.dnsName(of: certificate)?.lowercased()
            }
        guard let text, (1...1_024).contains(text.utf8.count) else { return nil }
        return text
    }
}

extension CertificateFacts {
    /// The subject in the form of RFC 4514 ("CN=alice,O=Example"); bytes other than printable ASCII are escaped.
    static func distinguishedName(of certificate: OpaquePointer) -> String? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, berth_XN_FLAG_RFC2253) >= 0 else {
            return nil
        }
        var start: UnsafeMutablePointer<CChar>?
        let count = berth_BIO_get_mem_data(bio, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    static func commonName(of certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        let place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard place >= 0, X509_NAME_get_index_by_NID(subject, NID_commonName, place) < 0,
            let entry = X509_NAME_get_entry(subject, place)
        else { return nil }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0, let bytes else { return nil }
        defer { CRYPTO_free(bytes, nil, 0) }
        let name = UnsafeBufferPointer(start: bytes, count: Int(count))
        guard name.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
        return String(validating: name, as: UTF8.self)
    }

    static func uri(of certificate: OpaquePointer) -> String? {
        let names = alternatives(of: certificate, type: GEN_URI)
        return names.count == 1 ? names[0] : nil
    }

    static func dnsName(of certificate: OpaquePointer) -> String? { alternatives(of: certificate, type: GEN_DNS).first }

    /// The names of a type, all of which are visible ASCII; empty if one is not.
    private static func alternatives(of certificate: OpaquePointer, type: CInt) -> [String] {
        guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(found)
        defer { GENERAL_NAMES_free(list) }
        var names: [String] = []
        for index in 0..<max(0, OPENSSL_sk_num(list)) {
            guard let name = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee,
                name.type == type
            else { continue }
            let text = type == GEN_URI ? name.d.uniformResourceIdentifier : name.d.dNSName
            let bytes = UnsafeBufferPointer(
                start: ASN1_STRING_get0_data(text), count: Int(max(0, ASN1_STRING_length(text))))
            guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return [] }
            names.append(String(decoding: bytes, as: UTF8.self))
        }
        return names
    }
}
