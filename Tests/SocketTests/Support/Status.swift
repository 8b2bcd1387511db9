import Foundation
import Kernel

/// The values of `/stats` that the tests use.
struct Status: Decodable {
    struct Pool: Decodable {
        var max, total, idle, active, streaming, waiting, opened: Int
    }

    struct Server: Decodable {
        var address: String
        var healthy, draining, backup: Bool
        var pool: Pool
        var streams, sessions, requests: Int
    }

    struct Upstream: Decodable {
        var name: String
        var servers: [Server]
    }

    struct ProxyProtocol: Decodable, Equatable {
        var untrusted, malformed, timedOut: Int
    }

    struct Upgrade: Decodable {
        var running: Bool
        var failures: Int
        var lastError: String?
    }

    var uptimeSeconds: Double
    /// The process that answers.
    var pid: CInt
    /// Missing where a proxy runs within the tests.
    private let upgradeOrNone: Upgrade?
    var upgrade: Upgrade { upgradeOrNone ?? Upgrade(running: false, failures: 0, lastError: nil) }
    var draining: Bool
    var workers: Int
    var proxyProtocol: ProxyProtocol
    var upstreams: [Upstream]

    private enum CodingKeys: String, CodingKey {
        case uptimeSeconds, pid, draining, workers, proxyProtocol, upstreams
        case upgradeOrNone = "upgrade"
    }

    /// Requests `/stats` from the admin listener at `address`.
    init(from address: SocketAddress) throws {
        let client = try Client(address)
        client.send("GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")
        let response = try client.response()
        guard response.status == 200, response.values("content-type") == ["application/json"] else {
            throw TimedOut(description: "no metrics: \(response.text)")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Status.self, from: Data(response.body))
    }

    /// Whether no exchange is open and every connection is idle.
    var isQuiet: Bool {
        upstreams.flatMap(\.servers).allSatisfy {
            $0.pool.active == 0 && $0.streams == 0 && $0.pool.streaming == 0 && $0.pool.waiting == 0
                && $0.pool.total == $0.pool.idle
        }
    }
}
