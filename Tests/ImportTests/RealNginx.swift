import Foundation
import Glibc
import Kernel
import TestSupport

/// nginx itself, with a configuration of which only addresses, ports and certificates are others.
final class RealNginx {
    /// The path of nginx; nil if it is not installed.
    static let program: String? = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin"
        return path.split(separator: ":").map { "\($0)/nginx" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }()

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    let address: SocketAddress
    private let process = TestProcess()
    private let folder = FileManager.default.temporaryDirectory.appending(path: "berth-import-\(UUID().uuidString)")

    init(_ source: String, replicas: [SocketAddress]) throws {
        guard let program = Self.program else { throw Failed(description: "nginx is not installed") }
        let port = try Self.freePort()
        address = .loopback(port: port)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "nginx.conf")
        try Self.runnable(source, replicas, port, folder.path).write(to: file, atomically: true, encoding: .utf8)
        process.executableURL = URL(filePath: program)
        process.arguments = ["-p", folder.path, "-e", folder.appending(path: "error.log").path, "-c", file.path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        let deadline = Instant.now() + .seconds(60)
        while true {
            if let socket = try? TestSocket.connect(to: address) {
                TestSocket.close(socket)
                return
            }
            let log = (try? String(contentsOf: folder.appending(path: "error.log"), encoding: .utf8)) ?? ""
            guard process.isRunning, Instant.now() < deadline else {
                throw Failed(description: "nginx does not listen: \(log)")
            }
            _ = poll(nil, 0, 10)
        }
    }

    deinit { stop() }

    func stop() {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    private static func freePort() throws -> UInt16 {
        let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
        defer {
            if var world = try? Linux() { world.close(listener, reset: false) }
        }
        guard let port = Socket.localAddress(listener)?.port else { throw Failed(description: "no port") }
        return port
    }

    /// The source with the replicas as its servers, listening in clear at a port.
    private static func runnable(_ source: String, _ replicas: [SocketAddress], _ port: UInt16, _ folder: String)
        -> String
    {
        var text = source
        var names: [String] = []
        for match in source.matches(of: /server\s+([^\s;{}]+)[^;{}]*;/) where !names.contains(String(match.1)) {
            names.append(String(match.1))
        }
        for (place, name) in names.enumerated() {
            text = text.replacing(name, with: "\(replicas[place % replicas.count])")
        }
        text = text.replacing(/listen\s+[^;]+;/, with: "listen 127.0.0.1:\(port);")
        text = text.replacing(/ssl_certificate[^;]*;/, with: "")
        let user = getuid() == 0 ? "user root;" : ""
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
            .joined()
        return """
            daemon off; master_process on; worker_processes 1; \(user) pid \(folder)/nginx.pid; error_log \(folder)/error.log;
            events { worker_connections 1024; }
            http { access_log off; \(paths)
            \(text)
            }
            """
    }
}
