import Foundation
import Glibc
import Kernel
import TLS
import TestSupport

/// A `redis-server` of this machine on a loopback port, without persistence, in a folder of its own.
final class RedisServer {
    struct Options {
        var isSecure = false
        var password: String?
        /// As `maxmemory`; nil: no bound.
        var memory: String?
    }

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }
    private static var path: String { "/usr/bin/redis-server" }

    let port: UInt16
    let options: Options
    let folder: TemporaryFolder
    private let certificate: (file: String, key: String)
    private var child: ChildProcess?

    init(_ options: Options = Options()) throws {
        self.options = options
        folder = try TemporaryFolder()
        let pair = try SelfSignedCertificate.make(names: ["127.0.0.1", "localhost"], validDays: 2)
        certificate = (
            try folder.write("redis.pem", pair.certificatePEM), try folder.write("redis.key", pair.keyPEM)
        )
        // The kernel chooses a port, and does not give it to others soon.
        let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
        port = Socket.localAddress(listener)?.port ?? 0
        Socket.close(listener)
        try start()
    }

    deinit { kill() }

    var authorities: String { certificate.file }

    func start() throws {
        var arguments = [
            Self.path, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder.url.path,
            "--daemonize",
            "no", "--logfile", folder.path("redis.log"),
        ]
        if options.isSecure {
            arguments += [
                "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", certificate.file, "--tls-key-file",
                certificate.key, "--tls-ca-cert-file", certificate.file, "--tls-auth-clients", "no",
            ]
        } else {
            arguments += ["--port", "\(port)"]
        }
        if let password = options.password { arguments += ["--requirepass", password] }
        if let memory = options.memory { arguments += ["--maxmemory", memory, "--maxmemory-policy", "noeviction"] }
        child = try ChildProcess.start(Self.path, arguments: arguments, environment: ["PATH=/usr/bin:/bin"])
        try eventually("redis-server listens") {
            guard let socket = try? TestSocket.connect(to: .loopback(port: port)) else { return false }
            TestSocket.close(socket)
            return true
        }
    }

    /// Ends it as a crash does, and waits for that.
    func kill() {
        guard let child else { return }
        self.child = nil
        Glibc.kill(child.id, SIGCONT)
        child.stop(force: true)
        while child.outcome() == .running { pause(milliseconds: 1) }
    }

    func suspend() { if let child { Glibc.kill(child.id, SIGSTOP) } }
    func resume() { if let child { Glibc.kill(child.id, SIGCONT) } }

    /// Says commands, as many as there are lines, and returns the replies. In clear and without a password only.
    func say(_ commands: String) throws -> String {
        let client = try Client(.loopback(port: port))
        let lines = commands.split(separator: "\n").map { "\($0)\r\n" }
        client.send(lines.joined() + "QUIT\r\n")
        return String(decoding: try client.readUntilEnd(), as: UTF8.self)
    }
}
