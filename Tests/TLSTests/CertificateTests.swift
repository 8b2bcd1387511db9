import Foundation
import TLS
import Testing

@Suite("Certificates")
struct CertificateTests {
    @Test("a self-signed pair loads and has the names and the validity that were requested")
    func facts() throws {
        let now = Int64(Date().timeIntervalSince1970)
        let pair = try SelfSignedCertificate.make(
            names: ["localhost", "127.0.0.1", "::1", "*.example.org"], validDays: 30)

        let facts = try CertificateFacts.inspect(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM)

        #expect(facts.subject == "CN = localhost")
        #expect(facts.names == ["localhost", "127.0.0.1", "::1", "*.example.org"])
        #expect(abs(facts.notBefore - (now - 3_600)) < 60)
        #expect(abs(facts.notAfter - (now + 30 * 86_400)) < 60)
        #expect(facts.problem(at: now) == nil)
    }

    @Test("a certificate that is not valid yet, or expired, is reported with the date")
    func expiry() throws {
        let pair = try SelfSignedCertificate.make(names: ["localhost"], validDays: 0)
        let facts = try CertificateFacts.inspect(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM)

        #expect(facts.problem(at: facts.notBefore) == nil)
        #expect(facts.problem(at: facts.notAfter) == nil)
        let early = try #require(facts.problem(at: facts.notBefore - 1)).description
        let late = try #require(facts.problem(at: facts.notAfter + 1)).description
        #expect(early.hasPrefix("checking the certificate: it is not valid before 20"))
        #expect(late == "checking the certificate: it expired on \(facts.expiry)")
        let form = Date.ISO8601FormatStyle(dateTimeSeparator: .space)
        let expected = Date(timeIntervalSince1970: TimeInterval(facts.notAfter)).formatted(form)
        #expect(facts.expiry == expected.replacing("Z", with: " UTC"))
    }

    @Test(
        "names that could inject other extension values are refused", arguments: [[], [""], ["a,IP:1.2.3.4"], ["a\nb"]])
    func badNames(_ names: [String]) {
        #expect(throws: TLSError.self) { try SelfSignedCertificate.make(names: names, validDays: 1) }
    }

    @Test("every certificate has another serial number")
    func serials() throws {
        let folder = try Folder()
        let serials = try (0..<8).map { _ in
            let pair = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
            let path = try folder.write("one.pem", pair.certificatePEM)
            return try OpenSSLCommand.run("x509", "-in", path, "-noout", "-serial").output
        }
        #expect(Set(serials).count == 8)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let certificate: [UInt8]?
        let key: [UInt8]?
        let message: String
        var testDescription: String { message }
    }

    static let faults: [Fault] = {
        guard let one = try? SelfSignedCertificate.make(names: ["localhost"], validDays: 1),
            let other = try? SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        else { return [] }
        let text = String(decoding: one.certificatePEM, as: UTF8.self)
        let broken = Array(text.replacing("MII", with: "MIJ").utf8)
        let cut = Array(one.certificatePEM.prefix(one.certificatePEM.count / 2))
        return [
            Fault(
                certificate: one.certificatePEM, key: other.keyPEM,
                message: "matching key and certificate: KEY: the private key does not belong to the (first) certificate"
            ),
            Fault(
                certificate: nil, key: one.keyPEM, message: "reading the certificate: CERT: No such file or directory"),
            Fault(
                certificate: one.certificatePEM, key: nil,
                message: "reading the private key: KEY: No such file or directory"),
            Fault(
                certificate: [], key: one.keyPEM,
                message: "reading the certificate: CERT: there is no certificate in PEM form in it"),
            Fault(
                certificate: one.keyPEM, key: one.keyPEM,
                message: "reading the certificate: CERT: there is no certificate in PEM form in it"),
            Fault(
                certificate: one.certificatePEM, key: one.certificatePEM,
                message:
                    "reading the private key: KEY: there is no private key in PEM form in it, or none that OpenSSL can read"
            ),
            Fault(certificate: broken, key: one.keyPEM, message: "reading the certificate: CERT: malformed PEM ("),
            Fault(certificate: cut, key: one.keyPEM, message: "reading the certificate: CERT: malformed PEM ("),
            Fault(
                certificate: one.certificatePEM + cut, key: one.keyPEM,
                message: "reading the certificate: CERT: malformed PEM ("),
        ]
    }()

    @Test("an unusable pair is reported with the reason and the file's name", arguments: faults)
    func faulty(_ fault: Fault) throws {
        let folder = try Folder()
        let certificate = try fault.certificate.map { try folder.write("c.pem", $0) } ?? folder.path("absent-c.pem")
        let key = try fault.key.map { try folder.write("k.pem", $0) } ?? folder.path("absent-k.pem")
        let expected = fault.message.replacing("CERT", with: certificate).replacing("KEY", with: key)

        let inspected = #expect(throws: TLSError.self) {
            try CertificateFacts.inspect(certificateFile: certificate, keyFile: key)
        }
        let loaded = #expect(throws: TLSError.self) {
            try TLSContext(certificateFile: certificate, keyFile: key, options: TLSOptions())
        }

        let message = try #require(inspected).description
        #expect(message == expected || (expected.hasSuffix("(") && message.hasPrefix(expected)))
        #expect(message.count > expected.count || message == expected)
        #expect(loaded?.description == message)
    }

    @Test("the table of faulty pairs is complete")
    func table() { #expect(Self.faults.count == 9) }

    @Test("an encrypted key is refused without a prompt for its passphrase")
    func encrypted() throws {
        let folder = try Folder()
        let pair = try SelfSignedCertificate.make(names: ["localhost"], validDays: 1)
        let plain = try folder.write("plain.pem", pair.keyPEM)
        let locked = folder.path("locked.pem")
        #expect(
            try OpenSSLCommand.run("pkey", "-in", plain, "-aes128", "-passout", "pass:x", "-out", locked).status == 0)

        let error = #expect(throws: TLSError.self) {
            try CertificateFacts.inspect(
                certificatePEM: pair.certificatePEM, keyPEM: [UInt8](folder.read("locked.pem")))
        }

        #expect(error?.description == "reading the private key: the key is protected by a passphrase")
    }

    @Test("invalid options are refused with the reason")
    func badOptions() throws {
        let pair = try Fixture.pair.get()
        var options = TLSOptions()
        options.ciphers = "NOTHING"
        let ciphers = #expect(throws: TLSError.self) {
            try TLSContext(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM, options: options)
        }
        #expect(ciphers?.description == "choosing ciphers: NOTHING: no cipher match")

        options = TLSOptions()
        options.applicationProtocols = [String(repeating: "x", count: 256)]
        let names = #expect(throws: TLSError.self) {
            try TLSContext(certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM, options: options)
        }
        #expect(names?.description.hasSuffix("is not of 1 to 255 bytes") == true)
    }

    @Test("the whole chain is sent: a client that trusts only the root accepts the leaf")
    func chain() throws {
        let folder = try Folder()
        try OpenSSLCommand.makeChain(in: folder)
        let context = try TLSContext(
            certificateFile: folder.path("leaf-and-issuer.pem"), keyFile: folder.path("leaf.key"),
            options: TLSOptions())
        let root = try [UInt8](folder.read("root.pem"))

        let whole = try Conversation(Fixture.client(trust: .certificates(root)), context)
        whole.settle()
        #expect(whole.client.progress == .established)

        let leafOnly = try TLSContext(
            certificateFile: folder.path("leaf.pem"), keyFile: folder.path("leaf.key"), options: TLSOptions())
        let lacking = try Conversation(Fixture.client(trust: .certificates(root)), leafOnly)
        lacking.settle()
        #expect(lacking.client.progress == .failed)
    }

    @Test("the openssl command reads a self-signed certificate and verifies it in strict mode")
    func command() throws {
        let folder = try Folder()
        let path = try folder.write("one.pem", Fixture.pair.get().certificatePEM)

        let text = try OpenSSLCommand.run("x509", "-in", path, "-noout", "-text").output
        #expect(text.contains("DNS:localhost, IP Address:127.0.0.1"))
        #expect(text.contains("NIST CURVE: P-256"))
        #expect(text.contains("CA:FALSE"))
        #expect(text.contains("Version: 3 (0x2)"))
        let verified = try OpenSSLCommand.run(
            "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost", "-CAfile", path, path)
        #expect(verified.output == "\(path): OK\n")
        let wrongName = try OpenSSLCommand.run("verify", "-verify_hostname", "example.org", "-CAfile", path, path)
        #expect(wrongName.status != 0)
    }
}
