import Kernel
import MCP
import TestSupport
import Testing

@testable import Proxy

/// The text of a record that several Berths share.
@Suite("The text of a shared record")
struct SharedRecordTests {
    private static let name = [UInt8](repeating: UInt8(ascii: "a"), count: 32)

    private static func record(
        params: String = #"{"capabilities":{}}"#, revision: String = "2025-11-25",
        capabilities: String = #"{"tools":{}}"#,
        logLevel: String = "", subscriptions: [String] = []
    ) -> SharedRecord? {
        var record = SessionRecord(
            server: .none, usedAt: .never, handshake: Handshake(params: Array(params.utf8)))
        record.result = InitializeResult(
            protocolVersion: Array(revision.utf8), capabilities: Array(capabilities.utf8))
        record.logLevel = Array(logLevel.utf8)
        record.subscriptions = subscriptions.map { Array($0.utf8) }
        return SharedRecord(record)
    }

    @Test("what is written is read, with line ends and blanks in it")
    func roundTrip() throws {
        for record in [
            Self.record(), Self.record(params: "{ \"a\" :\r\n 1 }", logLevel: #"{"level":"debug"}"#),
            Self.record(subscriptions: [#"{"uri":"a:1"}"#, "{\"uri\":\"b\\n\"}"]),
        ] {
            let text = try #require(record?.text(name: Self.name))
            #expect(SharedRecord(text, name: Self.name) == record)
            #expect(SharedRecord(text, name: Array("b".utf8)) == nil, "another session's")
        }
        #expect(
            Self.record()?.text(name: Array("n".utf8)).map { String(decoding: $0, as: UTF8.self) }
                == "1 n 2025-11-25 19 12 0\n{\"capabilities\":{}}{\"tools\":{}}")
    }

    @Test("half of one, or one that was changed, is none, or has the same form", arguments: 1...4)
    func changed(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let record = Self.record(logLevel: #"{"level":"debug"}"#, subscriptions: [#"{"uri":"a:1"}"#])
        let text = try #require(record?.text(name: Self.name))
        for end in text.indices { #expect(SharedRecord(Array(text[..<end]), name: Self.name) == nil, "\(end)") }
        for _ in 0..<2_000 {
            var other = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: other.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: other[index] = UInt8.random(in: .min ... .max, using: &random)
                case 1: other.remove(at: index)
                default: other.insert(UInt8.random(in: 0x20...0x7e, using: &random), at: index)
                }
            }
            guard let read = SharedRecord(other, name: Self.name) else { continue }
            #expect(read.text(name: Self.name).map { SharedRecord($0, name: Self.name) } == read)
        }
    }

    @Test(
        "what could not become part of a request is refused",
        arguments: [
            "", "\n", "1", "2 NAME 2025-11-25 2 2 0\n{}{}", "1 NAME 2025-11-25 2 2\n{}{}",
            "1 NAME 2025-11-25 2 2 0\n{}{} ",
            "1 NAME 2025-11-25 2 2 99999999999999999999\n{}{}", "1 NAME 2025-11-25 2 2 18446744073709551615\n{}{}",
            "1 NAME 2025-11-25 -2 2 0\n{}{}", "1 NAME  2 2 0\n{}{}", "1 NAME a\r\nb 2 2 0\n{}{}",
            "1 NAME 2025-11-25 4 2 0\n{}},{}", "1 NAME 2025-11-25 2 2 0\n[]{}", "1 NAME 2025-11-25 4 2 0\n{},1{}",
            "1 NAME 2025-11-25 2 3 0\n{}{}}", "1 NAME 2025-11-25 2 2 4\n{}{}null", "1 NAME 2025-11-25 2 2 0 3\n{}{}{]}",
        ])
    func refused(text: String) {
        let text = text.replacing("NAME", with: String(decoding: Self.name, as: UTF8.self))
        #expect(SharedRecord(Array(text.utf8), name: Self.name) == nil)
    }

    @Test("records are bounded: without the subscriptions if that is enough")
    func bounds() throws {
        let long = String(repeating: "x", count: 2_000)
        let many = Self.record(subscriptions: (0..<40).map { "{\"uri\":\"\($0)\(long)\"}" })
        let text = try #require(many?.text(name: Self.name))
        #expect(SharedRecord(text, name: Self.name) == Self.record())
        #expect(
            Self.record(capabilities: "{\"a\":\"\(String(repeating: long, count: 20))\"}")?.text(name: Self.name) == nil
        )
        #expect(Self.record(revision: "a b") == nil && Self.record(revision: "") == nil)
        #expect(Self.record(params: "[]") == nil)
        #expect(Self.record(logLevel: "7", subscriptions: ["null"]) == Self.record())
    }
}
