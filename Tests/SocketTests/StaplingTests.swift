import Foundation
import Kernel
import TLS
import TestSupport
import Testing

extension SocketTests {
    @Suite("OCSP stapling", .serialized)
    struct StaplingTests {
        private let folder: TemporaryFolder
        private let replica: RecordingReplica

        init() throws {
            folder = try TemporaryFolder()
            replica = try RecordingReplica()
        }

        /// An OCSP response of an authority called "old" for serial number 1, valid in the first week of 2020.
        private static let ancient =
            "MIH8CgEAoIH2MIHzBgkrBgEFBQcwAQEEgeUwgeIwgYmhEDAOMQwwCgYDVQQDDANvbGQYDzIwMjYxMTIyMjIzMzE5WjBkMGIwOjAJBgUr"
            + "DgMCGgUABBT1bvlB5e2OSwbavmb1CRS4LZPygwQU+U2fmNsGI8HBohzSQCJJJoer/+MCAQGAABgPMjAyMDAxMDEwMDAwMDBaoBEYDzIw"
            + "MjAwMTA4MDAwMDAwWjAKBggqhkjOPQQDAgNIADBFAiBQIzG67O+x0aaHR7umX5Ix030qSHFa2A8NU8MrwgJJqgIhAMcC0bk/sFo/WK8Q"
            + "mU53raMAOlc9YxACOqGtl925AxbB"

        private func put(_ identity: TLSIdentity, _ name: String) throws {
            guard case .bytes(let certificate) = identity.certificate, case .bytes(let key) = identity.key else {
                return
            }
            _ = try folder.write("\(name).pem", certificate)
            _ = try folder.write("\(name).key", key)
        }

        /// A file for the certificates "a" and "b", each with its response.
        private func configuration() throws -> String {
            try folder.write(
                "berth.toml",
                """
                [global]
                workers = 2
                admin = "127.0.0.1:0"
                secret = "file:session.keys"
                [listen]
                https = "127.0.0.1:0"
                cert = "a.pem"
                key = "a.key"
                ocsp = "a.ocsp"
                [[listen.certificate]]
                cert = "b.pem"
                key = "b.key"
                ocsp = "b.ocsp"
                [upstream.mcp]
                servers = ["\(replica.address)"]
                """)
        }

        /// The output of `openssl s_client` with a status request.
        private func shown(_ port: UInt16, _ name: String) throws -> String {
            let process = TestProcess()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                [
                    "timeout", "30", "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-status", "-servername",
                    name,
                ]
            process.standardInput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            return String(decoding: try process.runToEnd(), as: UTF8.self)
        }

        @Test("each name has its own response, a new one is loaded within seconds, and a bad one is not")
        func served() throws {
            defer { replica.stop() }
            let authority = try Authority("authority")
            let a = try authority.sign("/CN=a", "subjectAltName=DNS:a.example.org")
            let b = try authority.sign("/CN=b", "subjectAltName=DNS:b.example.org")
            let newA = try authority.sign("/CN=new-a", "subjectAltName=DNS:a.example.org")
            for (identity, name) in [(a, "a"), (b, "b")] {
                try put(identity, name)
                _ = try folder.write("\(name).ocsp", authority.response(for: identity))
            }
            let command = try BerthCommand(["run", configuration()], in: folder)
            let port = try command.port(after: "listening on https://")
            func serial(_ output: String) -> Substring? {
                output.split(separator: "\n").first { $0.contains("Serial Number:") }?.split(separator: " ").last
            }
            let (first, second) = try (shown(port, "a.example.org"), shown(port, "b.example.org"))
            #expect(first.contains("CN = a\n") && first.contains("Cert Status: good"))
            #expect(second.contains("CN = b\n") && second.contains("Cert Status: good"))
            #expect(serial(first) != serial(second) && serial(first) != nil)

            // A file that is no response leaves the previous one in use.
            _ = try folder.write("a.ocsp", "garbage")
            try eventually("the garbage to be refused") { command.complained.contains("no OCSP response in DER form") }
            #expect(try shown(port, "a.example.org").contains("Cert Status: good"))

            // A new certificate is loaded before its response.
            try put(newA, "a")
            try eventually("the new certificate") { try shown(port, "a.example.org").contains("CN = new-a\n") }
            #expect(try shown(port, "a.example.org").contains("OCSP response: no response sent"))
            #expect(try shown(port, "b.example.org").contains("Cert Status: good"))

            _ = try folder.write("a.ocsp", authority.response(for: newA))
            try eventually("the new response") { try shown(port, "a.example.org").contains("Cert Status: good") }
            #expect(try serial(shown(port, "a.example.org")) != serial(first))

            try FileManager.default.removeItem(atPath: folder.path("a.ocsp"))
            try eventually("the loss to be noticed") { command.complained.contains("No such file") }
            #expect(try shown(port, "a.example.org").contains("Cert Status: good"))
        }

        @Test("check prints the position of each bad response; an expired one is a warning and is not sent")
        func check() throws {
            defer { replica.stop() }
            let old = try Authority("old")
            let one = try old.sign("/CN=a", "subjectAltName=DNS:a.example.org", serial: 1)
            let two = try old.sign("/CN=b", "subjectAltName=DNS:b.example.org")
            try put(one, "a")
            try put(two, "b")
            _ = try folder.write("a.ocsp", [UInt8](try #require(Data(base64Encoded: Self.ancient))))
            let path = try configuration()

            let missing = try BerthCommand(["check", path], in: folder)
            #expect(try missing.exitCode() == 2)
            #expect(missing.complained.contains("berth.toml:13:8: error: "))
            #expect(missing.complained.contains("b.ocsp cannot be read"))

            for (bytes, reason) in try [
                (Array("<html>".utf8), "no OCSP response in DER form"), ([], "no OCSP response in DER form"),
                (old.response(for: one), "another certificate than"),
            ] {
                _ = try folder.write("b.ocsp", bytes)
                let bad = try BerthCommand(["check", path], in: folder)
                #expect(try bad.exitCode() == 2)
                #expect(bad.complained.contains("berth.toml:13:8: error: this OCSP response cannot be shown"))
                #expect(bad.complained.contains(reason), "\(bad.complained)")
            }

            _ = try folder.write("b.ocsp", old.response(for: two))
            let good = try BerthCommand(["check", path], in: folder)
            #expect(try good.exitCode() == 0)
            #expect(good.printed.contains("berth.toml: valid, "))
            #expect(good.complained.contains("berth.toml:9:8: warning: this OCSP response is not shown"))
            #expect(good.complained.contains("it expired on 2020-01-08 00:00:00 UTC"))

            let command = try BerthCommand(["run", path], in: folder)
            let port = try command.port(after: "listening on https://")
            #expect(try shown(port, "a.example.org").contains("OCSP response: no response sent"))
            #expect(try shown(port, "b.example.org").contains("Cert Status: good"))
            try eventually("the log to say so") { command.complained.contains("an OCSP response is not shown") }
        }
    }
}
