import Configuration
import Kernel
import Reactor
import TLS
import Testing

@testable import Proxy

extension SocketTests {
    /// Documents with keys, over sockets of the kernel's.
    @Suite("Fetching keys of issuers", .serialized)
    struct KeyFetcherTests {
        private static let document = #"{"keys":[]}"#

        private static func fetch(
            _ url: String, trust: TLSClientContext.Trust = .system, timeout: Interval = .seconds(20)
        ) throws -> String {
            let url = try #require(KeyURL(url))
            var fetcher = try KeyFetcher(try Linux(), trust: trust, timeout: timeout)
            return String(decoding: try fetcher.fetch(url), as: UTF8.self)
        }

        /// Why there is none; nil if there is one.
        private static func failure(
            _ url: String, trust: TLSClientContext.Trust = .system, timeout: Interval = .seconds(20)
        ) throws -> String? {
            do {
                _ = try fetch(url, trust: trust, timeout: timeout)
                return nil
            } catch let failure as KeyFetcher.Failure {
                return failure.description
            }
        }

        @Test(
            "over http, whatever frames the body",
            arguments: [
                "content-length: 11\r\n\r\n{\"keys\":[]}",
                "transfer-encoding: chunked\r\n\r\n5\r\n{\"key\r\n6\r\ns\":[]}\r\n0\r\n\r\n", "\r\n{\"keys\":[]}",
            ])
        func plain(rest: String) throws {
            let replica = try RecordingReplica { _ in [.text("HTTP/1.1 200 OK\r\n" + rest), .close] }
            defer { replica.stop() }
            #expect(try Self.fetch("http://\(replica.address)/keys?set=1") == Self.document)
            let request = try #require(replica.requests.last)
            #expect(request.target == "/keys?set=1" && request.values("host") == ["\(replica.address)"])
            #expect(request.values("connection") == ["close"])
        }

        @Test("over https, from a server that the authorities vouch for, by its name")
        func secure() throws {
            let rig = try Rig(answering: { _ in [.answer(Self.document)] })
            let port = rig.secure.port
            let trust = try Certificates.trust
            #expect(try Self.fetch("https://localhost:\(port)/keys", trust: trust) == Self.document)
            #expect(try Self.fetch("https://127.0.0.1:\(port)/keys", trust: trust) == Self.document)
            let asked = rig.replica.requests.count
            // By no authority of ours, by another authority, and by another name.
            #expect(try Self.failure("https://localhost:\(port)/keys")?.contains("TLS") == true)
            let other = TLSClientContext.Trust.certificates(try Authority("other").certificate)
            #expect(try Self.failure("https://localhost:\(port)/keys", trust: other)?.contains("TLS") == true)
            #expect(rig.replica.requests.count == asked, "nothing is asked of a server that nobody vouches for")
            #expect(try Self.failure("https://127.0.0.1:\(rig.plain.port)/keys", trust: trust)?.contains("TLS") == true)
        }

        @Test("a certificate of our own authority for another name is not accepted")
        func otherName() throws {
            let authority = try Authority("issuers")
            let identity = try authority.sign("/CN=other.test", "subjectAltName=DNS:other.test")
            let rig = try Rig(
                answering: { _ in [.answer(Self.document)] },
                handshaking: { $0.tls = try TLSContext([identity], options: TLSOptions()) })
            let trust = TLSClientContext.Trust.certificates(authority.certificate)
            #expect(
                try Self.failure("https://localhost:\(rig.secure.port)/keys", trust: trust)?.contains("TLS") == true)
            #expect(rig.replica.requests.isEmpty)
        }

        static let answers: [(what: String, bytes: String, closes: Bool, problem: String)] = [
            ("garbage", "\u{1}\u{2}\u{3}garbage\r\n\r\n", false, "no HTTP"),
            ("a status", "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", false, "status 503"),
            ("a redirect", "HTTP/1.1 302 Go\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", false, "status 302"),
            ("a body cut off", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", true, "closed"),
            ("a chunk cut off", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{", true, "closed"),
            ("a bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", false, "no HTTP"),
            ("a head without end", "HTTP/1.1 200 OK\r\nx: y\r\n", true, "closed"), ("nothing", "", true, "closed"),
            ("nothing, for ever", "", false, "does not answer"),
            ("half, for ever", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", false, "does not answer"),
        ]

        @Test("what is no answer is none, and says why", arguments: answers)
        func bad(what: String, bytes: String, closes: Bool, problem: String) throws {
            let replica = try RecordingReplica { _ in [.text(bytes)] + (closes ? [.close] : []) }
            defer { replica.stop() }
            let waits = problem == "does not answer"
            let failure = try Self.failure(
                "http://\(replica.address)/", timeout: waits ? .milliseconds(300) : .seconds(20))
            #expect(failure?.contains(problem) == true, "\(what): \(failure ?? "none")")
            try eventually("the connection is closed") { replica.open == 0 }
        }

        @Test("an answer without end is given up, and what it had is not kept")
        func huge() throws {
            for head in ["content-length: 4000000", "transfer-encoding: chunked"] {
                let replica = try RecordingReplica { _ in
                    [.text("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n")]
                        + (head.hasPrefix("content") ? [.pattern(4_000_000)] : [.chunkedPattern(4_000_000)])
                }
                defer { replica.stop() }
                #expect(try Self.failure("http://\(replica.address)/") == "its response is too long")
            }
        }

        @Test("nobody there, and no address")
        func nobody() throws {
            let replica = try RecordingReplica()
            let address = replica.address
            replica.stop()
            try eventually("nobody listens") { (try? Client(address)) == nil }
            #expect(try Self.failure("http://\(address)/") != nil)
            #expect(try Self.failure("http://nobody.invalid/") == "nobody.invalid has no address")
        }
    }
}
