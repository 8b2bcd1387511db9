import COpenSSL
import Glibc

/// The parts of a certificate that an operator checks: subject, names and validity.
package struct CertificateFacts: Equatable, Sendable {
    /// The subject, as in "CN = mcp.example.org".
    package let subject: String
    /// The DNS names and IP addresses of the subjectAltName extension (RFC 5280 section 4.2.1.6).
    package let names: [String]
    /// The DNS names alone, in lower case: the names that a client may send as its server name (RFC 6066 section 3).
    package let serverNames: [String]
    /// The first second in which it is valid, in seconds since 1970.
    package let notBefore: Int64
    /// The last second in which it is valid, in seconds since 1970.
    package let notAfter: Int64

    /// Reads a chain and its key from PEM files. Throws if either cannot be read or the key does not belong to the
    /// certificate. It does not check the dates: `problem(at:)` does.
    package static func inspect(certificateFile: String, keyFile: String) throws(TLSError) -> CertificateFacts {
        try CertificateFacts(CertificatePair(certificate: .file(certificateFile), key: .file(keyFile)))
    }

    /// Reads a chain and its key from PEM in memory; otherwise like `inspect(certificateFile:keyFile:)`.
    package static func inspect(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSError) -> CertificateFacts {
        try CertificateFacts(CertificatePair(certificate: .bytes(certificatePEM), key: .bytes(keyPEM)))
    }

    /// Says why the certificate is not valid at `now` (seconds since 1970); nil if it is valid.
    package func problem(at now: Int64) -> TLSError? {
        let action: StaticString = "checking the certificate"
        if now < notBefore {
            return TLSError(action: action, reason: "it is not valid before \(Self.text(notBefore))")
        }
        if now > notAfter { return TLSError(action: action, reason: "it expired on \(Self.text(notAfter))") }
        return nil
    }

    /// The last second of validity, as in "2026-11-22 10:00:00 UTC".
    package var expiry: String { Self.text(notAfter) }

    init(_ pair: borrowing CertificatePair) throws(TLSError) {
        let certificate = pair.certificate
        guard let notBefore = Self.seconds(X509_get0_notBefore(certificate)),
            let notAfter = Self.seconds(X509_get0_notAfter(certificate))
        else { throw .last("reading the certificate's validity") }
        self.notBefore = notBefore
        self.notAfter = notAfter
        subject = Self.subject(of: certificate)
        let alternatives = Self.alternatives(of: certificate)
        names = alternatives.map(\.text)
        serverNames = alternatives.filter(\.isName).map { $0.text.lowercased() }
    }

    static func subject(of certificate: OpaquePointer) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, berth_XN_FLAG_ONELINE)
        var start: UnsafeMutablePointer<CChar>?
        let count = berth_BIO_get_mem_data(bio, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    private static func alternatives(of certificate: OpaquePointer) -> [(text: String, isName: Bool)] {
        guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(found)
        defer { GENERAL_NAMES_free(list) }
        return (0..<max(0, OPENSSL_sk_num(list))).compactMap { index in
            guard let name = OPENSSL_sk_value(list, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee else {
                return nil
            }
            switch name.type {
            case GEN_DNS: return (String(decoding: bytes(of: name.d.dNSName), as: UTF8.self), true)
            case GEN_IPADD: return address(bytes(of: name.d.iPAddress)).map { ($0, false) }
            default: return nil
            }
        }
    }

    private static func bytes(of string: UnsafePointer<ASN1_STRING>?) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
    }

    private static func address(_ octets: UnsafeBufferPointer<UInt8>) -> String? {
        guard octets.count == 4 || octets.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = octets.count == 4 ? AF_INET : AF_INET6
        guard let end = inet_ntop(family, octets.baseAddress, &text, socklen_t(text.count)) else { return nil }
        return String(cString: end)
    }

    /// Converts an ASN.1 UTCTime or GeneralizedTime to seconds since 1970; nil if it is neither.
    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        guard let epoch = ASN1_TIME_set(nil, 0) else { return nil }
        defer { ASN1_TIME_free(epoch) }
        var days: CInt = 0
        var rest: CInt = 0
        guard ASN1_TIME_diff(&days, &rest, epoch, time) == 1 else { return nil }
        return Int64(days) * 86_400 + Int64(rest)
    }

    /// Formats seconds since 1970 as in "2026-11-22 10:00:00 UTC".
    static func text(_ seconds: Int64) -> String {
        var moment = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return "\(seconds)" }
        func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
    }
}
