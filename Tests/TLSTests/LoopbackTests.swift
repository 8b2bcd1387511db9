import Foundation
import Glibc
import Reactor
import TLS
import TestSupport
import Testing

/// Handshakes with `openssl s_client` over a loopback socket.
@Suite("Loopback")
struct LoopbackTests {
    @Test(
        "s_client verifies the server, gets an answer, and resumes if tickets are on",
        arguments: ["-tls1_2", "-tls1_3"], [true, false])
    func client(_ version: String, _ tickets: Bool) throws {
        let folder = try Folder()
        let trusted = try folder.write("ca.pem", Fixture.pair.get().certificatePEM)
        let context = try Fixture.server(tickets: tickets)
        let listener = try LoopbackListener()
        let common = [
            "s_client", "-connect", "127.0.0.1:\(listener.port)", version, "-CAfile", trusted, "-verify_return_error",
            "-verify_ip", "127.0.0.1", "-alpn", "h2,http/1.1",
        ]

        let saved = folder.path("ticket")
        let first = try listener.serve(common + ["-sess_out", saved], with: context)
        #expect(first.contains("Verify return code: 0 (ok)"))
        #expect(first.contains("ALPN protocol: http/1.1"))
        #expect(first.contains("the answer to PING"))
        #expect(first.contains("New, TLSv1"))
        guard tickets else { return }

        let second = try listener.serve(common + ["-sess_in", saved], with: context)
        #expect(second.contains("Reused, TLSv1"))
        #expect(second.contains("the answer to PING"))
    }

    @Test(
        "clients of other libraries get an answer over records of ours",
        arguments: ["gnutls-cli", "tstclnt", "node", "python3"])
    func others(program: String) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/\(program)") || program == "python3" else {
            print("skipped: there is no \(program) on this machine")
            return
        }
        let folder = try Folder()
        let listener = try LoopbackListener()
        let arguments: [String]
        switch program {
        case "gnutls-cli":
            arguments = [
                "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "-p", "\(listener.port)", "127.0.0.1",
            ]
        case "tstclnt":
            // From a pipe that ends it reads for ever.
            let request = try folder.write("request", Array("PING\n".utf8))
            arguments = [
                "-h", "127.0.0.1", "-p", "\(listener.port)", "-D", "-o", "-V", "tls1.3:tls1.3", "-A", request,
            ]
        case "node":
            arguments = [
                "-e",
                "const s = require('tls').connect({ port: \(listener.port), rejectUnauthorized: false, minVersion: 'TLSv1.3' }, "
                    + "() => s.write('PING\\n')); s.on('data', d => process.stdout.write(d)); s.on('end', () => process.exit())",
            ]
        default:
            arguments = [
                "-c",
                "import socket, ssl; c = ssl._create_unverified_context(); c.minimum_version = ssl.TLSVersion.TLSv1_3; "
                    + "s = c.wrap_socket(socket.create_connection(('127.0.0.1', \(listener.port)))); s.send(b'PING\\n'); "
                    + "print(s.recv(99))",
            ]
        }
        let output = try listener.serve(arguments, with: Fixture.server(), program: program)
        #expect(output.contains("the answer to PING"), "\(output)")
    }

    @Test("renegotiation is refused")
    func renegotiation() throws {
        let listener = try LoopbackListener()
        let arguments = ["s_client", "-connect", "127.0.0.1:\(listener.port)", "-tls1_2"]

        let output = try listener.serve(arguments, with: Fixture.server(), saying: "R\n")

        #expect(output.contains("RENEGOTIATING"))
        #expect(output.contains("no renegotiation"))
    }
}

/// A socket on 127.0.0.1 that serves one client at a time. Every wait has a deadline.
final class LoopbackListener {
    private let descriptor: CInt
    let port: UInt16

    init() throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else {
            close(descriptor)
            throw CocoaError(.featureUnsupported)
        }
        self.descriptor = descriptor
        port = address.sin_port.bigEndian
    }

    deinit { close(descriptor) }

    /// Starts `openssl` with `arguments` and the input `words`, answers the first decrypted line and closes. Returns
    /// the client's output.
    func serve(
        _ arguments: [String], with context: TLSContext, saying words: String = "PING\n", program: String = "openssl"
    ) throws -> String {
        let process = OpenSSLCommand.make(arguments, program: program)
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try? output.fileHandleForWriting.close()
        defer { process.waitUntilExit() }
        try input.fileHandleForWriting.write(contentsOf: Data(words.utf8))
        try answer(context)
        try input.fileHandleForWriting.close()
        return String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    private func answer(_ context: TLSContext) throws {
        guard isReadable(descriptor) else { throw CocoaError(.fileReadUnknown) }
        let connection = accept(descriptor, nil, nil)
        defer { close(connection) }
        var engine = try TLSEngine()
        var session = try engine.accept(context)
        var received = ByteBuffer()
        var outgoing = ByteBuffer()
        var chunk = [UInt8](repeating: 0, count: 4_096)
        var hasAnswered = false
        while isReadable(connection) {
            let count = read(connection, &chunk, chunk.count)
            guard count > 0 else { return }
            let progress = engine.receive(
                &session, chunk.span.extracting(0..<count), plaintext: &received, outgoing: &outgoing)
            if !received.isEmpty, !hasAnswered {
                hasAnswered = true
                let line = String(decoding: take(&received), as: UTF8.self)
                _ = engine.send(&session, Array("the answer to \(line)".utf8).span, outgoing: &outgoing)
                engine.appendCloseNotify(&session, outgoing: &outgoing)
            }
            let reply = take(&outgoing)
            guard write(connection, reply, reply.count) == reply.count, progress != .failed, progress != .closed else {
                return
            }
        }
    }

    private func isReadable(_ descriptor: CInt) -> Bool {
        var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&one, 1, 20_000) == 1
    }
}
