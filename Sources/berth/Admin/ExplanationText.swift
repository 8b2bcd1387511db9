import Configuration
import FoundationEssentials
import Proxy

/// What was explained about a request, for people.
struct ExplanationText: Decodable {
    struct Candidate: Decodable {
        var server: String
        var weight: Int
        var isBackup: Bool
        var state: String
    }

    private var method, target, host, kind, kindReason: String
    private var message, route, upstream, server, serverTarget, serverReason, reason: String?
    private var session: SessionText?
    private var candidates: [Candidate]
    private var limits: [String]?
    private var status: Int?
    /// As it came.
    private(set) var json = ""

    private enum CodingKeys: String, CodingKey {
        case method, target, host, kind, kindReason, message, route, upstream, server, serverReason, reason, session
        case candidates, status, serverTarget, limits
    }

    init(_ explanation: RequestExplanation) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let text = String(decoding: try encoder.encode(explanation), as: UTF8.self) + "\n"
        guard let decoded = ExplanationText(text) else {
            throw AdminClient.Failure(description: "the explanation cannot be read")
        }
        self = decoded
    }

    /// Reads the JSON of a running Berth; nil if it is none.
    init?(_ text: String) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let decoded = try? decoder.decode(ExplanationText.self, from: Data(text.utf8)) else { return nil }
        self = decoded
        json = text
    }

    /// A line for each step. `listeners`: those of the configuration, of which one gets the request.
    func text(_ listeners: [ListenerConfiguration]) -> String {
        var lines = [("request", "\(method) \(target)\(host.isEmpty ? "" : " at \(host)")")]
        if let message { lines.append(("message", message)) }
        lines.append(("listener", listener(listeners)))
        lines.append(("route", [route, upstream.map { "upstream \($0)" }].compactMap { $0 }.joined(separator: " -> ")))
        if route == nil { lines[lines.count - 1].1 = serverReason ?? "none matches" }
        if let serverTarget { lines.append(("", "the server gets the path \(serverTarget)")) }
        for limit in limits ?? [] { lines.append(("limit", limit)) }
        lines.append(("kind", "\(kind): \(kindReason)"))
        if let session { lines += session.lines.map { ("session", $0) } }
        if let status {
            let why = route == nil ? nil : serverReason
            lines.append(
                (
                    "answer",
                    [["\(status)", reason, "by Berth itself"].compactMap { $0 }.joined(separator: " "), why].compactMap
                    { $0 }.joined(separator: ": ")
                ))
        } else {
            lines.append(("server", [server, serverReason].compactMap { $0 }.joined(separator: ": ")))
        }
        for candidate in candidates where server == nil || candidates.count > 1 {
            let notes = ["weight \(candidate.weight)", candidate.isBackup ? "backup" : nil].compactMap { $0 }
            lines.append(("", "\(candidate.server)  \(candidate.state), \(notes.joined(separator: ", "))"))
        }
        var before = ""
        return lines.map { name, value in
            defer { before = name }
            return TextColumn.padded(name == before ? "" : name) + value + "\n"
        }.joined()
    }

    /// The listener that a request to this host reaches, as far as its port says so.
    private func listener(_ listeners: [ListenerConfiguration]) -> String {
        guard listeners.count != 1 else { return listeners[0].text }
        let digits = host.hasSuffix("]") ? "" : String(host.split(separator: ":").dropFirst().last ?? "")
        let port = UInt16(digits)
        let matches = listeners.filter { $0.address.port == port ?? ($0.security == .plain ? 80 : 443) }
        return (matches.isEmpty ? listeners : matches).map(\.text).joined(separator: " or ")
    }
}

/// What is known of a session's id, for people.
struct SessionText: Decodable {
    private var origin: String
    private var upstream, server, digest, recoveredOn, problem: String?
    private var keyId: Int?
    private var issuedAt: Int?
    private var isRecorded, isDirty, isForgotten: Bool

    /// What is known, a line each.
    var lines: [String] {
        var first = origin
        if let keyId { first += " with key \(keyId)" }
        if let issuedAt { first += " at \(Self.time(issuedAt))" }
        if let digest { first += ", digest \(digest)" }
        var lines = [origin == "unknown" ? (problem ?? "unknown") : first]
        if origin != "unknown", let problem { lines.append(problem) }
        if let recoveredOn { lines.append("opened anew on \(recoveredOn) when its server was lost") }
        if isForgotten { lines.append("an operator has ordered that it is forgotten") }
        if isDirty { lines.append("it may hold state that cannot be brought to another server") }
        return lines
    }

    /// The same with the names of things, for `berth whose`.
    var text: String {
        var lines: [(String, String)] = []
        if let upstream, origin != "unknown" { lines.append(("upstream", upstream)) }
        if let present = recoveredOn ?? server { lines.append(("server", present)) }
        if recoveredOn != nil, let server { lines.append(("before", "\(server), which the id names")) }
        lines += self.lines.map { ("session", $0) }
        var before = ""
        return lines.map { name, value in
            defer { before = name }
            return TextColumn.padded(name == before ? "" : name) + value + "\n"
        }.joined()
    }

    /// Somebody has it.
    var isKnown: Bool { origin != "unknown" }

    private static func time(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).ISO8601Format()
    }
}

extension ListenerConfiguration {
    fileprivate var text: String { "\(security == .plain ? "http" : "https") \(address)" }
}

/// The column of names, before what is said of them.
private enum TextColumn {
    private static let width = 10

    static func padded(_ name: String) -> String { name + String(repeating: " ", count: max(0, width - name.count)) }
}
