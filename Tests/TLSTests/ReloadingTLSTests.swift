import Foundation
import TLS
import Testing

@Suite("Files that are watched")
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

    @Test("nothing changes, nothing happens; the same bytes written again are no change")
    func same() throws {
        let pair = try make("one")
        try put(pair)
        var watched = try watched()

        #expect(isNone(watched.look(at: now)))
        try put(pair)
        #expect(isNone(watched.look(at: now)))
        #expect(isNone(watched.look(at: now + 100)))
    }

    @Test("a new pair is taken at the next look, even long after the last change")
    func change() throws {
        try put(make("one"))
        var watched = try watched()
        #expect(isNone(watched.look(at: now + 100)))

        try put(make("two"))

        #expect(renewed(watched.look(at: now + 200)) == "CN = two")
        #expect(watched.context.certificates.first?.subject == "CN = two")
        #expect(isNone(watched.look(at: now + 300)))
    }

    @Test("half a new pair is no matter if the other half comes by the next look")
    func half() throws {
        try put(make("one"))
        var watched = try watched()
        let two = try make("two")

        _ = try folder.write("c.pem", two.certificatePEM)
        #expect(isNone(watched.look(at: now)))
        _ = try folder.write("k.pem", two.keyPEM)

        #expect(renewed(watched.look(at: now)) == "CN = two")
    }

    @Test("half a new pair that stays is refused once, and what was good stays")
    func staysHalf() throws {
        try put(make("one"))
        var watched = try watched()

        _ = try folder.write("c.pem", make("two").certificatePEM)

        #expect(isNone(watched.look(at: now)))
        #expect(
            refused(watched.look(at: now))
                == "matching key and certificate: \(folder.path("k.pem")): the private key does not belong to the (first) certificate"
        )
        for _ in 0..<500 { #expect(isNone(watched.look(at: now))) }
        #expect(watched.context.certificates.first?.subject == "CN = one")
    }

    @Test("files that are gone, or not PEM, are refused")
    func gone() throws {
        try put(make("one"))
        var watched = try watched()

        try FileManager.default.removeItem(atPath: folder.path("k.pem"))
        #expect(isNone(watched.look(at: now)))
        #expect(refused(watched.look(at: now)) == "reading a file: \(folder.path("k.pem")): No such file or directory")

        _ = try folder.write("k.pem", Array("hello".utf8))
        #expect(isNone(watched.look(at: now)))
        #expect(refused(watched.look(at: now))?.contains("there is no private key in PEM form in it") == true)
    }

    @Test("a pair that is out of its time is refused, and taken when its time has come")
    func early() throws {
        try put(make("one"))
        var watched = try watched()
        let past = now - 100_000

        try put(make("two"))
        #expect(isNone(watched.look(at: past)))
        #expect(refused(watched.look(at: past))?.contains("CN = two: it is not valid before") == true)

        let looks = (0..<200).compactMap { _ in renewed(watched.look(at: now)) }
        #expect(looks == ["CN = two"])
    }

    @Test("a file rewritten within one tick of the clock, its size and times the same, is seen all the same")
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
            #expect(renewed(watched.look(at: now)) == "CN = same-size")
            last = pair.certificatePEM
        }
    }
}

@Suite("OCSP responses that are watched")
struct ReloadingStapleTests {
    private let responder: Responder
    private let folder: Folder
    /// A little ahead: certificates are valid from the second they are made in.
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

    /// What came of looks until nothing more did.
    private func look(_ watched: inout ReloadingTLS) -> [String] {
        (0..<6).compactMap { _ in
            switch watched.look(at: now) {
            case .none: nil
            case .renewed(let context):
                "\(context.certificates[0].subject), \(context.staples[0].map { "until \($0.nextUpdate - now > 0)" } ?? "bare")"
            case .refused(let error): "refused: \(error.reason.split(separator: "/").last ?? "")"
            }
        }
    }

    @Test("a new one is shown; the start wants a good one")
    func renewed() throws {
        try serve("one")
        #expect(throws: TLSError.self) { try watch() }
        try staple(responder.response(for: "two"))
        #expect(throws: TLSError.self) { try watch() }
        try staple(responder.response(for: "one", secondsAgo: 60))
        var watched = try watch()
        #expect(look(&watched) == [])

        try staple(responder.response(for: "one"))

        #expect(look(&watched) == ["CN = one, until true"])
    }

    @Test("a bad one, or none, leaves the one before, and is said once")
    func bad() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try staple([1, 2, 3])
        #expect(look(&watched) == ["refused: s.der: there is no OCSP response in DER form in it, or more than one"])
        #expect(watched.context.staples[0] != nil)
        try FileManager.default.removeItem(atPath: folder.path("s.der"))
        #expect(look(&watched) == ["refused: s.der: No such file or directory"])
        #expect(watched.context.staples[0] != nil)

        try staple(responder.response(for: "one", secondsAgo: 60))
        #expect(look(&watched) == ["CN = one, until false"])
    }

    @Test("a new certificate is served though its response is not there yet, which comes when it comes")
    func late() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try serve("two")
        #expect(
            look(&watched) == [
                "CN = two, bare", "refused: s.der: it is about another certificate than the one beside it",
            ])

        try staple(responder.response(for: "two"))
        #expect(look(&watched) == ["CN = two, until true"])
    }

    @Test("a bad pair beside a bad response is refused as ever")
    func badPair() throws {
        try serve("one")
        try staple(responder.response(for: "one"))
        var watched = try watch()

        try staple([])
        _ = try folder.write("k.pem", responder.bytes("two.key"))

        #expect(look(&watched) == ["refused: k.pem: the private key does not belong to the (first) certificate"])
        #expect(watched.context.certificates[0].subject == "CN = one" && watched.context.staples[0] != nil)
    }
}

@Suite("A client's files that are watched")
struct ReloadingClientTests {
    private let folder: Folder
    /// A little ahead: certificates are valid from the second they are made in.
    private let now = Int64(Date().timeIntervalSince1970) + 60

    init() throws { folder = try Folder() }

    @Test("certificate, key and authorities are watched; a bad version of any is refused")
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
        func look(at now: Int64) -> [String] {
            (0..<4).compactMap { _ in
                switch watched.look(at: now) {
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
        #expect(look(at: now) == [])
        #expect(try trusts(first))

        try put("two")
        #expect(look(at: now) == ["CN = two"])

        let second = try SelfSignedCertificate.make(names: ["localhost"], validDays: 2)
        try authorities(second.certificatePEM)
        #expect(look(at: now) == ["CN = two"])
        #expect(try !trusts(first))
        #expect(try trusts(second))

        try authorities(Array("nobody".utf8))
        #expect(look(at: now).first?.hasPrefix("refused: ") == true)
        #expect(try trusts(second))

        let expired = try SelfSignedCertificate.make(names: ["late"], validDays: 0)
        try authorities(second.certificatePEM)
        _ = try folder.write("c.pem", expired.certificatePEM)
        _ = try folder.write("k.pem", expired.keyPEM)
        #expect(look(at: now).first?.hasPrefix("refused: CN = late: it expired on") == true)
        #expect(watched.context.certificate?.subject == "CN = two")
    }
}
