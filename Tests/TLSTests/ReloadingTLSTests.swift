import Foundation
import TLS
import Testing

@Suite("Reloading a server's certificates")
struct ReloadingTLSTests {
    private let folder: Folder
    private let now = Int64(Date().timeIntervalSince1970)

    init() throws { folder = try Folder() }

    private func put(_ pair: (certificatePEM: [UInt8], keyPEM: [UInt8])) throws {
        _ = try folder.write("c.pem", pair.certificatePEM)
        _ = try folder.write("k.pem", pair.keyPEM)
    }

    private func make(_ name: String, days: Int = 2) throws -> (certificatePEM: [UInt8], keyPEM: [UInt8]) {
        try SelfSignedCertificate.make(names: [name], validDays: days)
    }

    private func watched() throws -> ReloadingTLS {
        let pair = TLSFiles.Pair(certificate: folder.path("c.pem"), key: folder.path("k.pem"))
        return try ReloadingTLS(TLSFiles([pair], options: TLSOptions()))
    }

    private func renewed(_ change: ReloadingTLS.Change) -> String? {
        guard case .renewed(let context) = change else { return nil }
        return context.certificates.first?.subject
    }

    private func refused(_ change: ReloadingTLS.Change) -> String? {
        guard case .refused(let error) = change else { return nil }
        return "\(error)"
    }

    private func isNone(_ change: ReloadingTLS.Change) -> Bool {
        guard case .none = change else { return false }
        return true
    }

    @Test("unchanged files, and the same bytes written again, are no change")
    func same() throws {
        let pair = try make("one")
        try put(pair)
        var watched = try watched()

        #expect(isNone(watched.check(at: now)))
        try put(pair)
        #expect(isNone(watched.check(at: now)))
        #expect(isNone(watched.check(at: now + 100)))
    }

    @Test("a new pair is loaded at the next check, also long after the last change")
    func change() throws {
        try put(make("one"))
        var watched = try watched()
        #expect(isNone(watched.check(at: now + 100)))

        try put(make("two"))

        #expect(renewed(watched.check(at: now + 200)) == "CN = two")
        #expect(watched.context.certificates.first?.subject == "CN = two")
        #expect(isNone(watched.check(at: now + 300)))
    }

    @Test("half a new pair is not reported if the other half is there at the next check")
    func half() throws {
        try put(make("one"))
        var watched = try watched()
        let two = try make("two")

        _ = try folder.write("c.pem", two.certificatePEM)
        #expect(isNone(watched.check(at: now)))
        _ = try folder.write("k.pem", two.keyPEM)

        #expect(renewed(watched.check(at: now)) == "CN = two")
    }

    @Test("a pair that does not match is refused once, and the previous one stays in use")
    func staysHalf() throws {
        try put(make("one"))
        var watched = try watched()

        _ = try folder.write("c.pem", make("two").certificatePEM)

        #expect(isNone(watched.check(at: now)))
        #expect(
            refused(watched.check(at: now))
                == "matching key and certificate: \(folder.path("k.pem")): the private key does not belong to the (first) certificate"
        )
        for _ in 0..<500 { #expect(isNone(watched.check(at: now))) }
        #expect(watched.context.certificates.first?.subject == "CN = one")
    }

    @Test("missing files and files that are not PEM are refused")
    func gone() throws {
        try put(make("one"))
        var watched = try watched()

        try FileManager.default.removeItem(atPath: folder.path("k.pem"))
        #expect(isNone(watched.check(at: now)))
        #expect(refused(watched.check(at: now)) == "reading a file: \(folder.path("k.pem")): No such file or directory")

        _ = try folder.write("k.pem", Array("hello".utf8))
        #expect(isNone(watched.check(at: now)))
        #expect(refused(watched.check(at: now))?.contains("there is no private key in PEM form in it") == true)
    }

    @Test("a pair that is not valid yet is refused, and loaded once it is valid")
    func early() throws {
        try put(make("one"))
        var watched = try watched()
        let past = now - 100_000

        try put(make("two"))
        #expect(isNone(watched.check(at: past)))
        #expect(refused(watched.check(at: past))?.contains("CN = two: it is not valid before") == true)

        let changed = (0..<200).compactMap { _ in renewed(watched.check(at: now)) }
        #expect(changed == ["CN = two"])
    }

    @Test("a file rewritten within one tick of the clock, with the same size and times, is noticed")
    func racy() throws {
        let pairs = try (0..<20).map { _ in try make("same-size") }
        try put(pairs[0])
        var watched = try watched()
        var last = pairs[0].certificatePEM
        for pair in pairs.dropFirst() where pair.certificatePEM.count == last.count {
            let before = try FileManager.default.attributesOfItem(atPath: folder.path("c.pem"))
            try put(pair)
            try FileManager.default.setAttributes(
                [.modificationDate: before[.modificationDate] ?? Date()], ofItemAtPath: folder.path("c.pem"))
            #expect(renewed(watched.check(at: now)) == "CN = same-size")
            last = pair.certificatePEM
        }
    }
}

@Suite("Reloading OCSP responses")
struct ReloadingStapleTests {
    private let responder: Responder
    private let folder: Folder
    /// A minute ahead of the clock, because certificates are valid from the second in which they are made.
    private let now = Int64(Date().timeIntervalSince1970) + 60

    init() throws {
        folder = try Folder()
        responder = try Responder(in: folder)
        for name in ["one", "two"] { try responder.sign(name, for: ["localhost"]) }
    }

    private func serve(_ name: String) throws {
        _ = try folder.write("c.pem", responder.bytes("\(name)-chain.pem"))
        _ = try folder.write("k.pem", responder.bytes("\(name).key"))
    }

    private func staple(_ bytes: [UInt8]) throws { _ = try folder.write("s.der", bytes) }

    private func watch() throws -> ReloadingTLS {
        let pair = TLSFiles.Pair(
            certificate: folder.path("c.pem"), key: folder.path("k.pem"), staple: folder.path("s.der"))
        return try ReloadingTLS(TLSFiles([pair], options: TLSOptions()))
    }

    /// The results of six checks, without those that changed nothing.
    private func changes(_ watched: inout ReloadingTLS) -> [String] {
        (0..<6).compactMap { _ in
            switch watched.check(at: now) {
            case .none: nil
            case .renewed(let context):
                "\(context.certificates[0].subject), \(context.staples[0].map { "until \($0.nextUpdate - now > 0)" } ?? "bare")"
            case .refused(let error): "refused: \(error.reason.split(separator: "/").last ?? "")"
            }
        }
    }

    @Test("a new response is loaded; the first one must be valid")
    func renewed() throws {
        try serve("one")
        #expect(throws: TLSError.self) { try watch() }
        try staple(responder.response(for: "two"))
        #expect(throws: TLSError.self) { try watch() }
        try staple(responder.response(for: "one", secondsAgo: 60))
        var watched = try watch()
        #expect(changes(&watched) == [])

        try staple(responder.response(for: "one"))

        #expect(changes(&watched) == ["CN = one, until true"])
    }

    @Test("a bad or missing response is reported once, and the previous one stays in use")
    func bad() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try staple([1, 2, 3])
        #expect(changes(&watched) == ["refused: s.der: there is no OCSP response in DER form in it, or more than one"])
        #expect(watched.context.staples[0] != nil)
        try FileManager.default.removeItem(atPath: folder.path("s.der"))
        #expect(changes(&watched) == ["refused: s.der: No such file or directory"])
        #expect(watched.context.staples[0] != nil)

        try staple(responder.response(for: "one", secondsAgo: 60))
        #expect(changes(&watched) == ["CN = one, until false"])
    }

    @Test("a new certificate is loaded before its new response is there")
    func late() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try serve("two")
        #expect(
            changes(&watched) == [
                "CN = two, bare", "refused: s.der: it is about another certificate than the one beside it",
            ])

        try staple(responder.response(for: "two"))
        #expect(changes(&watched) == ["CN = two, until true"])
    }

    @Test("a bad pair beside a bad response is refused")
    func badPair() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try staple([])
        _ = try folder.write("k.pem", responder.bytes("two.key"))

        #expect(changes(&watched) == ["refused: k.pem: the private key does not belong to the (first) certificate"])
        #expect(watched.context.certificates[0].subject == "CN = one" && watched.context.staples[0] != nil)
    }
}

@Suite("Reloading a client's files")
struct ReloadingClientTests {
    private let folder: Folder
    /// A minute ahead of the clock, because certificates are valid from the second in which they are made.
    private let now = Int64(Date().timeIntervalSince1970) + 60

    init() throws { folder = try Folder() }

    @Test("changes of certificate, key and authorities are loaded; a bad version of any is refused")
    func changes() throws {
        func put(_ name: String) throws {
            let pair = try SelfSignedCertificate.make(names: [name], validDays: 2)
            _ = try folder.write("c.pem", pair.certificatePEM)
            _ = try folder.write("k.pem", pair.keyPEM)
        }
        func authorities(_ text: [UInt8]) throws { _ = try folder.write("ca.pem", text) }
        try put("one")
        let first = try SelfSignedCertificate.make(names: ["localhost"], validDays: 2)
        try authorities(first.certificatePEM)
        let files = TLSClientFiles(
            pair: TLSFiles.Pair(certificate: folder.path("c.pem"), key: folder.path("k.pem")),
            authorities: folder.path("ca.pem"), otherwise: .system)
        var watched = try ReloadingClientTLS(files)
        func changes(at now: Int64) -> [String] {
            (0..<4).compactMap { _ in
                switch watched.check(at: now) {
                case .none: nil
                case .renewed(let context): context.certificate?.subject
                case .refused(let error): "refused: \(error.reason.split(separator: "/").last ?? "")"
                }
            }
        }
        func trusts(_ pair: (certificatePEM: [UInt8], keyPEM: [UInt8])) throws -> Bool {
            let server = try TLSContext(
                certificatePEM: pair.certificatePEM, keyPEM: pair.keyPEM, options: TLSOptions())
            let conversation = try Conversation(watched.context, server)
            conversation.settle()
            return conversation.client.isEstablished
        }
        #expect(watched.context.certificate?.subject == "CN = one")
        #expect(changes(at: now) == [])
        #expect(try trusts(first))

        try put("two")
        #expect(changes(at: now) == ["CN = two"])

        let second = try SelfSignedCertificate.make(names: ["localhost"], validDays: 2)
        try authorities(second.certificatePEM)
        #expect(changes(at: now) == ["CN = two"])
        #expect(try !trusts(first))
        #expect(try trusts(second))

        try authorities(Array("no certificate".utf8))
        #expect(changes(at: now).first?.hasPrefix("refused: ") == true)
        #expect(try trusts(second))

        let expired = try SelfSignedCertificate.make(names: ["late"], validDays: 0)
        try authorities(second.certificatePEM)
        _ = try folder.write("c.pem", expired.certificatePEM)
        _ = try folder.write("k.pem", expired.keyPEM)
        #expect(changes(at: now).first?.hasPrefix("refused: CN = late: it expired on") == true)
        #expect(watched.context.certificate?.subject == "CN = two")
    }
}
