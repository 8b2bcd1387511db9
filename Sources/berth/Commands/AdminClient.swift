import ArgumentParser
import Configuration
import Foundation
import Kernel
import Proxy

/// Asks a running Berth something at its admin address, which is found in the file that it runs with.
struct AdminClient {
    /// A response: its status and its body.
    struct Response {
        var status: Int
        var body: String
    }

    /// Why there is no response.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let address: SocketAddress
    private let token: AdminToken?

    /// How long a response may take: a reload looks up names, and reads certificates.
    private static let limit = Interval.seconds(20)

    init(_ global: GlobalConfiguration) throws {
        guard let admin = global.admin else {
            throw Failure(description: "the configuration has no admin address; set admin in [global]")
        }
        let host = admin.host.isEmpty || admin.host == "*" || admin.host == "0.0.0.0" ? "127.0.0.1" : admin.host
        guard let address = SocketAddress(literal: host == "::" ? "::1" : host, port: admin.port) else {
            throw Failure(description: "\(admin) is no address")
        }
        self.address = address
        token = try global.adminToken.map { (source) throws(StartError) in try AdminToken(source) }
    }

    /// Sends a request without a body and returns the response.
    func ask(_ method: String, _ target: String) throws -> Response {
        var head = "\(method) \(target) HTTP/1.1\r\nhost: \(address)\r\nconnection: close\r\n"
        if method == "POST" { head += "content-length: 0\r\n" }
        if let token { head += "authorization: \(token.credentials)\r\n" }
        let bytes = try exchange(Array("\(head)\r\n".utf8))
        return try Self.parse(String(decoding: bytes, as: UTF8.self))
    }

    private func exchange(_ request: [UInt8]) throws -> [UInt8] {
        var world = try Linux()
        guard case .started(let descriptor) = world.dial(address), world.watch(descriptor, token: 0) else {
            throw Failure(description: "nothing answers at \(address)")
        }
        defer { world.close(descriptor, reset: false) }
        let deadline = Instant.now() + Self.limit
        var (sent, received): (Int, [UInt8]) = (0, [])
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while Instant.now() < deadline, received.count < 64 << 20 {
            _ = world.wait(milliseconds: 100)
            let code = world.connectionError(descriptor)
            guard code == 0 else {
                throw Failure(description: "nothing answers at \(address): \(ErrorNumber.text(code))")
            }
            while sent < request.count {
                guard case .moved(let count) = world.send(descriptor, request.span.extracting(sent..<request.count))
                else {
                    break
                }
                sent += count
            }
            reading: while true {
                var space = chunk.mutableSpan
                switch world.receive(descriptor, into: &space) {
                case .moved(let count): received += chunk[..<count]
                case .ended: return received
                case .failed where !received.isEmpty: return received
                case .failed(let code): throw Failure(description: "\(address): \(ErrorNumber.text(code))")
                case .wouldBlock: break reading
                }
            }
        }
        throw Failure(description: "no answer from \(address) within \(Int(Self.limit.milliseconds / 1_000)) s")
    }

    private static func parse(_ text: String) throws -> Response {
        let parts = text.split(separator: " ", maxSplits: 2)
        guard text.hasPrefix("HTTP/1."), parts.count == 3, let status = Int(parts[1]),
            let end = text.range(of: "\r\n\r\n")
        else { throw Failure(description: "what answers is not Berth") }
        return Response(status: status, body: String(text[end.upperBound...]))
    }
}

/// The option by which commands find a running Berth.
struct RunningBerth: ParsableArguments {
    @Option(name: [.customLong("config"), .short], help: "The file that the running Berth was started with.")
    var config = "/etc/berth/berth.toml"

    /// `[global]` of the file.
    func global() throws -> GlobalConfiguration {
        switch CheckedFile.read(config) {
        case .success(let file): return file.configuration.global
        case .failure(let errors):
            FileHandle.standardError.write(Data("\(errors)\n".utf8))
            throw CheckedFile.errorCode
        }
    }

    /// Its admin address. Of the file only `[global]` matters: the rest may have errors that a reload is to report.
    func client() throws -> AdminClient { try AdminClient(global()) }

    /// Does `body` with the client. What fails is said, and ends the command with 1.
    func withClient(_ body: (AdminClient) throws -> Void) throws {
        do {
            try body(try client())
        } catch let error as AdminClient.Failure {
            FileHandle.standardError.write(Data("berth: \(error)\n".utf8))
            throw ExitCode.failure
        } catch let error as StartError {
            FileHandle.standardError.write(Data("berth: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }
}
