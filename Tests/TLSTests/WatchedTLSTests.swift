import Foundation
import TLS
import Testing

@Suite("Files that are watched")
struct WatchedTLSTests {
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

    private func watched() throws -> WatchedTLS {
        let pair = TLSFiles.Pair(certificate: folder.path("c.pem"), key: folder.path("k.pem"))
        return try WatchedTLS(TLSFiles([pair], options: TLSOptions()))
    }

    private func renewed(_ change: WatchedTLS.Change) -> String? {
        guard case .renewed(let context) = change else { return nil }
        return context.certificates.first?.subject
    }

    private func refused(_ change: WatchedTLS.Change) -> String? {
        guard case .refused(let error) = change else { return nil }
        return "\(error)"
    }

    private func isNone(_ change: WatchedTLS.Change) -> Bool {
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
