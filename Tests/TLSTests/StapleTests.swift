import Foundation
import TLS
import Testing

@Suite("OCSP responses")
struct StapleTests {
    private let responder: Responder
    private let now = Int64(Date().timeIntervalSince1970)

    init() throws {
        responder = try Responder()
        try responder.sign("leaf", for: ["localhost"])
        try responder.sign("other", for: ["other.example.org"])
    }

    private func identity(_ name: String, _ staple: [UInt8]?, chain: Bool = true) throws -> TLSIdentity {
        try TLSIdentity(
            certificate: .bytes(responder.bytes(chain ? "\(name)-chain.pem" : "\(name).pem")),
            key: .bytes(responder.bytes("\(name).key")), staple: staple.map { .read(file: "s.der", $0) })
    }

    /// Why a response cannot be used for "leaf"; nil if it can.
    private func problem(_ response: [UInt8], chain: Bool = true) throws -> String? {
        do throws(TLSError) {
            guard let identity = try? identity("leaf", response, chain: chain) else { return "no identity" }
            _ = try StapledResponse.inspect(identity)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test("a good response is valid from thisUpdate to nextUpdate", arguments: [true, false])
    func good(_ chain: Bool) throws {
        let response = try StapledResponse.inspect(
            identity("leaf", responder.response(for: "leaf"), chain: chain))
        let staple = try #require(response)

        #expect(abs(staple.thisUpdate - now) < 60)
        #expect(staple.nextUpdate == staple.thisUpdate + 86_400)
        #expect(staple.problem(at: staple.nextUpdate) == nil)
        // Clocks may differ.
        #expect(staple.problem(at: staple.thisUpdate - 60) == nil)
        #expect(staple.problem(at: staple.nextUpdate + 1)?.reason.hasPrefix("it expired on 20") == true)
        #expect(staple.problem(at: staple.thisUpdate - 900)?.reason.hasPrefix("it is not valid before 20") == true)
    }

    @Test("a response signed by a delegated responder is accepted")
    func delegated() throws {
        try responder.sign("delegate", for: ["ocsp.example.org"], extensions: ["extendedKeyUsage=OCSPSigning"])
        #expect(try problem(responder.response(for: "leaf", signer: "delegate")) == nil)
    }

    @Test("a response with a wrong signer is refused if the chain has the authority's certificate")
    func forged() throws {
        let response = try responder.response(for: "leaf", signer: "other")

        #expect(try problem(response)?.contains("s.der: the certificate's authority has not signed it") == true)
        #expect(try problem(response, chain: false) == nil)
    }

    @Test("a response for another certificate is refused", arguments: [true, false])
    func mismatched(_ chain: Bool) throws {
        let response = try responder.response(for: "other")
        #expect(
            try problem(response, chain: chain)
                == "reading the OCSP response: s.der: it is about another certificate than the one beside it")
        let otherAuthority = try Responder()
        try otherAuthority.sign("leaf", for: ["localhost"])
        #expect(
            try problem(otherAuthority.response(for: "leaf"), chain: chain)?.contains("another certificate") == true)
    }

    @Test("a response that says revoked, has no nextUpdate or is an error is refused with its reason")
    func bad() throws {
        #expect(
            try problem(responder.response(for: "leaf", status: "R"))?.hasSuffix(
                "it says that the certificate is revoked")
                == true)
        #expect(
            try problem(responder.response(for: "leaf", isDated: false))?.hasSuffix(
                "it does not say until when it is good (nextUpdate)") == true)
        // OCSPResponse { tryLater } (RFC 6960 section 4.2.1).
        #expect(
            try problem([0x30, 3, 0x0a, 1, 3])?.hasSuffix("it is no answer: the responder said trylater") == true)
    }

    @Test("malformed, truncated and repeated responses are refused")
    func garbage() throws {
        let good = try responder.response(for: "leaf")
        var all: [[UInt8]] = [[], Array("-----BEGIN".utf8), [0], good + [0], good + good]
        all += stride(from: 1, to: good.count, by: 37).map { Array(good.prefix($0)) }
        for bytes in all { #expect(try problem(bytes)?.contains("s.der: ") == true) }
        // A flipped bit must not crash the parser.
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 1
            _ = try problem(bytes)
        }
    }

    /// The output of `openssl s_client`, with a status request unless `status` is false.
    private func clientOutput(_ context: TLSContext, _ arguments: [String] = [], status: Bool = true) throws -> String {
        let listener = try LoopbackListener()
        return try listener.serve(
            ["s_client", "-connect", "127.0.0.1:\(listener.port)"] + (status ? ["-status"] : []) + arguments,
            with: context)
    }

    @Test("the response is sent to a client that requests it, and to no other", arguments: ["-tls1_2", "-tls1_3"])
    func asked(_ version: String) throws {
        let context = try TLSContext(
            [identity("leaf", responder.response(for: "leaf"))], options: TLSOptions())

        let output = try clientOutput(context, [version])
        #expect(output.contains("OCSP Response Status: successful (0x0)"))
        #expect(output.contains("Cert Status: good"))
        let unrequested = try clientOutput(context, [version, "-msg"], status: false)
        #expect(unrequested.contains("Handshake"))
        #expect(!unrequested.contains("CertificateStatus") && !unrequested.contains("OCSP"))
    }

    @Test("an expired response is not sent, and the handshake succeeds without it", arguments: ["-tls1_2", "-tls1_3"])
    func expired(_ version: String) throws {
        func output(secondsAgo: Int) throws -> String {
            let response = try responder.response(for: "leaf", secondsAgo: secondsAgo)
            let context = try TLSContext([identity("leaf", response)], options: TLSOptions())
            return try clientOutput(context, [version])
        }
        #expect(try output(secondsAgo: 10).contains("OCSP response: no response sent"))
        #expect(try output(secondsAgo: 10).contains("the answer to PING"))
        #expect(try output(secondsAgo: -3_600).contains("Cert Status: good"))
    }

    @Test(
        "each name and each kind of key has its own response",
        arguments: [
            ("localhost", "ECDSA+SHA256", "leaf"), ("localhost", "RSA-PSS+SHA256", "rsa"),
            ("other.example.org", "ECDSA+SHA256", "other"), ("nobody.example.org", "ECDSA+SHA256", "leaf"),
        ], ["-tls1_2", "-tls1_3"])
    func several(_ one: (name: String, algorithms: String, certificate: String), _ version: String) throws {
        try responder.sign("rsa", for: ["localhost"], rsa: true)
        let names = ["leaf", "rsa", "other"]
        let context = try TLSContext(
            names.map { try identity($0, responder.response(for: $0)) }, options: TLSOptions())

        let output = try clientOutput(context, ["-servername", one.name, "-sigalgs", one.algorithms, version])

        let serial = try OpenSSLCommand.run(
            "x509", "-in", responder.path("\(one.certificate).pem"), "-noout", "-serial"
        )
        .output.dropFirst("serial=".count).trimmingCharacters(in: .newlines)
        #expect(output.contains("Serial Number: \(serial)"), "\(output)")
        #expect(output.contains("Cert Status: good"))
    }

    @Test("one of several certificates may have no response")
    func some() throws {
        let context = try TLSContext(
            [identity("leaf", nil), identity("other", responder.response(for: "other"))], options: TLSOptions())

        #expect(context.staples.map { $0 != nil } == [false, true])
        #expect(try clientOutput(context, ["-servername", "localhost"]).contains("OCSP response: no response sent"))
        #expect(try clientOutput(context, ["-servername", "other.example.org"]).contains("Cert Status: good"))
    }

    @Test("a resumed session sends no response")
    func resumed() throws {
        let context = try TLSContext(
            [identity("leaf", responder.response(for: "leaf"))], options: TLSOptions())
        let ticket = responder.path("ticket.pem")
        #expect(try clientOutput(context, ["-sess_out", ticket]).contains("Cert Status: good"))

        let again = try clientOutput(context, ["-sess_in", ticket])

        #expect(again.contains("Reused, TLSv1.3"))
        #expect(!again.contains("Cert Status"))
        #expect(again.contains("the answer to PING"))
    }
}
