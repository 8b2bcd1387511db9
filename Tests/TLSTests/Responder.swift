import COpenSSL
import Foundation
import TestSupport

/// A certificate authority made with the openssl command, the certificates it has signed, and its OCSP responder.
///
/// Files in `folder`: "root.pem" and "root.key"; for each certificate "NAME.pem", "NAME.key", and "NAME-chain.pem"
/// with the root after it.
final class Responder {
    let folder: Folder

    init(in folder: Folder? = nil) throws {
        self.folder = try folder ?? Folder()
        try make("root", ["-addext", "basicConstraints=critical,CA:TRUE"])
    }

    func path(_ name: String) -> String { folder.path(name) }
    func bytes(_ name: String) throws -> [UInt8] { try [UInt8](folder.read(name)) }

    func sign(_ name: String, for names: [String], rsa: Bool = false, extensions: [String] = []) throws {
        let alternatives = names.map { "DNS:\($0)" }.joined(separator: ",")
        let more = (["subjectAltName=\(alternatives)"] + extensions).flatMap { ["-addext", $0] }
        try make(name, ["-CA", path("root.pem"), "-CAkey", path("root.key")] + more, rsa: rsa)
        _ = try folder.write("\(name)-chain.pem", bytes("\(name).pem") + bytes("root.pem"))
    }

    /// An OCSP response for a certificate, in DER form, valid for a day, signed by `signer`.
    func response(
        for name: String, status: String = "V", signer: String = "root", isDated: Bool = true
    ) throws -> [UInt8] {
        let serial = try OpenSSLCommand.run("x509", "-in", path("\(name).pem"), "-noout", "-serial").output
            .dropFirst("serial=".count).trimmingCharacters(in: .newlines)
        let revoked = status == "R" ? "250101000000Z" : ""
        _ = try folder.write(
            "index.txt", Array("\(status)\t991231235959Z\t\(revoked)\t\(serial)\tunknown\t/CN=x\n".utf8))
        let output = path("\(UUID().uuidString).der")
        try run(
            ["ocsp", "-index", path("index.txt"), "-CA", path("root.pem"), "-issuer", path("root.pem")]
                + ["-rsigner", path("\(signer).pem"), "-rkey", path("\(signer).key"), "-cert", path("\(name).pem")]
                + ["-respout", output] + (isDated ? ["-ndays", "1"] : []))
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: output)))
    }

    private func make(_ name: String, _ arguments: [String], rsa: Bool = false) throws {
        let kind = rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        try run(
            ["req", "-x509", "-newkey"] + kind + ["-nodes", "-days", "2", "-subj", "/CN=\(name)"]
                + ["-keyout", path("\(name).key"), "-out", path("\(name).pem")] + arguments)
    }

    private func run(_ arguments: [String]) throws {
        let process = OpenSSLCommand.make(arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.featureUnsupported) }
    }
}

extension Responder {
    /// An OCSP response that expired `secondsAgo` seconds ago and was valid for a day. The openssl command can make
    /// only current ones.
    func response(for name: String, secondsAgo: Int) throws -> [UInt8] {
        let issuer = try certificate("root")
        let subject = try certificate(name)
        guard let basic = OCSP_BASICRESP_new(), let id = OCSP_cert_to_id(nil, subject, issuer),
            let file = BIO_new_file(path("root.key"), "r"), let key = PEM_read_bio_PrivateKey(file, nil, nil, nil),
            let start = ASN1_TIME_adj(nil, time(nil), 0, -86_400 - secondsAgo),
            let end = ASN1_TIME_adj(nil, time(nil), 0, -secondsAgo),
            OCSP_basic_add1_status(
                basic, id, V_OCSP_CERTSTATUS_GOOD, 0, nil, ASN1_TIME_to_generalizedtime(start, nil),
                ASN1_TIME_to_generalizedtime(end, nil)) != nil,
            OCSP_basic_sign(basic, issuer, key, EVP_sha256(), nil, 0) == 1,
            let whole = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic)
        else { throw CocoaError(.featureUnsupported) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = i2d_OCSP_RESPONSE(whole, &encoded)
        return Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
    }

    private func certificate(_ name: String) throws -> OpaquePointer {
        guard let file = BIO_new_file(path("\(name).pem"), "r"),
            let certificate = PEM_read_bio_X509(file, nil, nil, nil)
        else { throw CocoaError(.fileReadUnknown) }
        return certificate
    }
}
