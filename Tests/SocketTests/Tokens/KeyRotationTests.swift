import Foundation
import Glibc
import Kernel
import Proxy
import TLS
import TestIssuer
import Testing

extension SocketTests {
    /// Keys of issuers and of callers, as they change under a running process.
    @Suite("Keys that change", .serialized)
    struct KeyRotationTests {
        private static let http =
            #"issuer = "https://login.example.com", jwks = "http://ISSUER/keys", audience = "https://mcp.example.com/mcp""#
        private static let first = TestIssuer.document([("one", TestIssuer.p256, [:])])

        @Test("a key that is rotated in counts with the first call that has it, however short ago keys were fetched")
        func rotation() throws {
            let rig = try IssuerRig(Self.http, keys: Self.first)
            let old = rig.token(TestIssuer.p256, "ES256", id: "one")
            #expect(try rig.call(old).status == 200, "it waits for the first keys")
            rig.publish([("one", TestIssuer.p256, [:]), ("two", TestIssuer.otherP256, [:])])
            #expect(try rig.call(rig.token(TestIssuer.otherP256, "ES256", id: "two")).status == 200)
            #expect(try rig.call(old).status == 200)
            // The old one is taken back, and a third one comes, whose tokens do not name it.
            rig.publish([("three", TestIssuer.ed25519, [:])])
            #expect(try rig.call(rig.token(TestIssuer.ed25519, "EdDSA", id: nil)).status == 200)
            #expect(try rig.call(old).status == 401)
            // Two looks have been caused by tokens: the next one has to wait, and so does the call.
            rig.publish([("four", TestIssuer.otherP256, [:])])
            #expect(try rig.call(rig.token(TestIssuer.otherP256, "ES256", id: "four")).status == 200)
            #expect(rig.issuer.accepted <= 5)
        }

        @Test("tokens of a key that does not exist are refused, and do not make it fetch again and again")
        func unknown() throws {
            let rig = try IssuerRig(Self.http, keys: Self.first)
            try rig.waitForStatus(200, of: rig.token(TestIssuer.p256, "ES256", id: "one"))
            for _ in 0..<20 {
                let answer = try rig.call(rig.token(TestIssuer.otherP256, "ES256", id: "none"))
                #expect(answer.status == 401 && answer.challenge.contains("does not publish"))
            }
            #expect(rig.issuer.accepted <= 3)
        }

        static let outages: [(what: String, answer: [ReplicaStep])] = [
            ("a status", [.answer("", status: "500 No")]), ("garbage", [.text("garbage\r\n\r\n"), .close]),
            ("no keys", [.answer(#"{"keys":[]}"#)]), ("no JSON", [.answer("<html>")]),
            ("too much", [.text("HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n"), .pattern(9_000_000)]),
            ("a reset", [.reset]),
        ]

        @Test("an issuer that fails takes no key away", arguments: outages)
        func outage(what: String, answer: [ReplicaStep]) throws {
            let rig = try IssuerRig(Self.http, keys: Self.first)
            try rig.waitForStatus(200, of: rig.token(TestIssuer.p256, "ES256", id: "one"))
            rig.issuer.reset { _ in answer }
            #expect(try rig.call(rig.token(TestIssuer.otherP256, "ES256", id: "two")).status == 401, "\(what)")
            try eventually("it says so: \(rig.log)") { rig.log.contains("the last good ones stay") }
            #expect(try rig.call(rig.token(TestIssuer.p256, "ES256", id: "one", ["jti": "\"2\""])).status == 200)
            rig.publish([("one", TestIssuer.p256, [:]), ("two", TestIssuer.otherP256, [:])])
            try rig.waitForStatus(200, of: rig.token(TestIssuer.otherP256, "ES256", id: "two"))
        }

        @Test("an issuer that was never there is 503 until it comes")
        func late() throws {
            let rig = try IssuerRig(Self.http, keys: Array("{}".utf8))
            #expect(try rig.call(rig.token(TestIssuer.p256, "ES256", id: "one")).status == 503)
            #expect(try rig.call("x").status == 401, "what is no token needs no keys")
            rig.publish([("one", TestIssuer.p256, [:])])
            try rig.waitForStatus(200, of: rig.token(TestIssuer.p256, "ES256", id: "one"))
        }

        @Test("an issuer with https and an authority of one's own")
        func secure() throws {
            let authority = try Authority("issuers")
            let identity = try authority.sign("/CN=localhost", "subjectAltName=DNS:localhost")
            let issuer = try Rig(
                answering: { _ in IssuerRig.answer(Self.first) },
                handshaking: { $0.tls = try TLSContext([identity], options: TLSOptions()) })
            let auth = Self.http.replacing("http://ISSUER", with: "https://localhost:\(issuer.secure.port)")
            var bundle = ""
            let rig = try IssuerRig(
                auth, keys: [], environment: ["SSL_CERT_FILE": "/tmp/berth-\(getpid())-authority.pem"]
            ) { _ in
                bundle = "/tmp/berth-\(getpid())-authority.pem"
                try Data(authority.certificate).write(to: URL(filePath: bundle))
            }
            defer { try? FileManager.default.removeItem(atPath: bundle) }
            #expect(try rig.call(rig.token(TestIssuer.p256, "ES256", id: "one")).status == 200)
            let stranger = try IssuerRig(auth, keys: [])
            #expect(try stranger.call(stranger.token(TestIssuer.p256, "ES256", id: "one")).status == 503)
            try eventually("it says why: \(stranger.log)") { stranger.log.contains("TLS with") }
        }

        // MARK: - Files

        @Test(
            "keys in a file, and those of callers, count a moment after they are written; broken files change nothing")
        func files() throws {
            let auth =
                #"issuer = "https://login.example.com", jwks = "FOLDER/keys.json", audience = "https://mcp.example.com/mcp", api_keys = "FOLDER/callers""#
            let rig = try IssuerRig(auth, keys: []) { folder in
                _ = try folder.write("keys.json", Self.first)
                _ = try folder.write("callers", "ci \(TestIssuer.hash("key-1"))\n")
            }
            try rig.waitForStatus(200, of: rig.token(TestIssuer.p256, "ES256", id: "one"))
            try rig.waitForStatus(200, of: "key-1")
            #expect(try rig.call("key-2").status == 401)

            _ = try rig.folder.write("callers", "ci \(TestIssuer.hash("key-1"))\nnew \(TestIssuer.hash("key-2"))\n")
            try rig.waitForStatus(200, of: "key-2")
            for broken in ["ci nonsense\n", "ci \(TestIssuer.hash("a"))\nci \(TestIssuer.hash("b"))\n", "\u{0}"] {
                let before = rig.log.matches(of: /callers in .* cannot be used/).count
                _ = try rig.folder.write("callers", broken)
                try eventually("it says so: \(rig.log)") {
                    rig.log.matches(of: /callers in .* cannot be used/).count > before
                }
                #expect(try rig.call("key-2").status == 200)
                _ = try rig.folder.write("callers", "new \(TestIssuer.hash("key-2"))\n# \(before)\n")
                try rig.waitForStatus(401, of: "key-1")
                _ = try rig.folder.write(
                    "callers", "ci \(TestIssuer.hash("key-1"))\nnew \(TestIssuer.hash("key-2"))\n")
                try rig.waitForStatus(200, of: "key-1")
            }
            try FileManager.default.removeItem(atPath: rig.folder.path("callers"))
            try FileManager.default.removeItem(atPath: rig.folder.path("keys.json"))
            try eventually("it says so: \(rig.log)") {
                rig.log.contains("keys.json cannot be read") && rig.log.matches(of: /callers in/).count > 3
            }
            #expect(try rig.call("key-2").status == 200)
            #expect(try rig.call(rig.token(TestIssuer.p256, "ES256", id: "one", ["jti": "\"3\""])).status == 200)
            _ = try rig.folder.write("keys.json", TestIssuer.document([("two", TestIssuer.otherP256, [:])]))
            try rig.waitForStatus(200, of: rig.token(TestIssuer.otherP256, "ES256", id: "two"))
            try rig.waitForStatus(401, of: rig.token(TestIssuer.p256, "ES256", id: "one"))
        }

        // MARK: - Reloads

        @Test("a reload may add, change and take away what a route asks for")
        func reload() throws {
            let rig = try IssuerRig("", keys: Self.first)
            let token = rig.token(TestIssuer.p256, "ES256", id: "one")
            #expect(try rig.call(nil).status == 200 && rig.call("x").status == 200)
            try rig.reload(Self.http)
            try rig.waitForStatus(401, of: "x")
            #expect(try rig.call(nil).status == 401 && rig.call(token).status == 200)
            let fetched = rig.issuer.accepted
            // Another audience: the same keys, and every token is looked at anew.
            try rig.reload(Self.http.replacing("mcp.example.com", with: "other.example.com"))
            try rig.waitForStatus(401, of: token)
            let other = rig.token(TestIssuer.p256, "ES256", id: "one", ["aud": #""https://other.example.com/mcp""#])
            #expect(try rig.call(other).status == 200)
            #expect(rig.issuer.accepted == fetched, "the keys are known")
            // Scopes, and keys of callers beside the tokens.
            _ = try rig.folder.write("callers", "ci \(TestIssuer.hash("key-1")) admin\n")
            try rig.reload(Self.http + #", required_scopes = ["admin"], api_keys = "FOLDER/callers""#)
            try rig.waitForStatus(403, of: token)
            try rig.waitForStatus(200, of: "key-1")
            try rig.reload("")
            try rig.waitForStatus(200, of: "x")
            try rig.reload(Self.http)
            try rig.waitForStatus(401, of: "x")
            #expect(try rig.call(token).status == 200)
        }
    }
}
