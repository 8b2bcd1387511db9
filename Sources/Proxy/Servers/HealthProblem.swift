package import Kernel
import Telemetry

/// Why a check of a server failed, or a connection to it could not be opened, in the words of the log.
enum HealthProblem: Equatable {
    /// The server's name has no address.
    case unresolved
    /// The errno of a connection that could not be opened.
    case connect(CInt)
    /// No connection, within this time.
    case connectTimedOut(Interval)
    /// The TLS handshake failed, or took longer than this.
    case handshake
    case handshakeTimedOut(Interval)
    /// A request was answered with a status that is not expected.
    case status(UInt16)
    /// The body of the answer does not have the text that is expected.
    case unexpectedBody
    /// A request was not answered in this time.
    case noAnswer(Interval)
    /// The connection ended before there was an answer.
    case closed
    /// What came is no HTTP response.
    case invalidAnswer
    /// What came is no response of MCP.
    case notMCP

    /// `request`: the check's, as in "GET /healthz".
    func text(request: String) -> String {
        switch self {
        case .unresolved: "its name does not resolve"
        case .connect(let code): ErrorNumber.text(code)
        case .connectTimedOut(let limit): "no connection in \(limit.text)"
        case .handshake: "the TLS handshake failed"
        case .handshakeTimedOut(let limit): "no TLS handshake in \(limit.text)"
        case .status(let status): "\(request) answered \(status)"
        case .unexpectedBody: "\(request): the body is not as expected"
        case .noAnswer(let limit): "\(request): no answer in \(limit.text)"
        case .closed: "\(request): the connection ended before an answer"
        case .invalidAnswer: "\(request): the answer is not HTTP"
        case .notMCP: "\(request): the answer is not MCP's"
        }
    }
}

extension HealthProblem {
    /// In one word: what it is in the lowest byte, then its number. Never 0.
    var packed: Int64 {
        switch self {
        case .unresolved: Self.pack(1)
        case .connect(let code): Self.pack(2, UInt64(UInt32(bitPattern: code)))
        case .connectTimedOut(let limit): Self.pack(3, limit.nanoseconds)
        case .handshake: Self.pack(4)
        case .handshakeTimedOut(let limit): Self.pack(5, limit.nanoseconds)
        case .status(let status): Self.pack(6, UInt64(status))
        case .unexpectedBody: Self.pack(7)
        case .noAnswer(let limit): Self.pack(8, limit.nanoseconds)
        case .closed: Self.pack(9)
        case .invalidAnswer: Self.pack(10)
        case .notMCP: Self.pack(11)
        }
    }

    /// Nil for 0, and for what is none.
    init?(packed word: Int64) {
        let bits = UInt64(bitPattern: word)
        let number = bits >> 8
        switch bits & 0xff {
        case 1: self = .unresolved
        case 2: self = .connect(CInt(bitPattern: UInt32(truncatingIfNeeded: number)))
        case 3: self = .connectTimedOut(Interval(nanoseconds: number))
        case 4: self = .handshake
        case 5: self = .handshakeTimedOut(Interval(nanoseconds: number))
        case 6: self = .status(UInt16(truncatingIfNeeded: number))
        case 7: self = .unexpectedBody
        case 8: self = .noAnswer(Interval(nanoseconds: number))
        case 9: self = .closed
        case 10: self = .invalidAnswer
        case 11: self = .notMCP
        default: return nil
        }
    }

    /// 56 bits of nanoseconds are two years.
    private static func pack(_ kind: UInt64, _ number: UInt64 = 0) -> Int64 {
        Int64(bitPattern: min(number, 1 << 56 - 1) << 8 | kind)
    }
}

/// Why a server's last check failed, as operators are told.
package struct ServerProblem: Sendable, Equatable {
    /// In the words of the log: "GET /healthz answered 503".
    package let text: String
    /// When the check failed.
    package let at: Instant
}

extension ProxyServer {
    /// Why the last check of a server failed; nil if it passed, or there was none.
    package func problem(of server: ServerPlan) -> ServerProblem? {
        let slot = Int(server.id.slot)
        guard let problem = HealthProblem(packed: metrics.view.load(.problem, server: slot)) else { return nil }
        let request = snapshot.upstreams[server.upstream].healthCheck.requestText
        let at = UInt64(max(0, metrics.view.load(.problemAt, server: slot)))
        return ServerProblem(text: problem.text(request: request), at: Instant(nanoseconds: at))
    }
}

extension HealthCheckPlan {
    /// What its checks ask, in the words of the log.
    var requestText: String { "\(kind == .mcp ? "POST" : "GET") \(String(decoding: path, as: UTF8.self))" }
}

extension Interval {
    /// "2s", "1500ms".
    var text: String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }
}
