import Kernel

/// What two processes say to each other at an upgrade, a line each: the old one what it knows, the new one whether it is
/// ready. Names instead of numbers wherever the two may be of different versions; a line that is not understood is skipped.
enum HandoverMessage: Equatable, Sendable {
    /// A slot of the server table, with its owner's key and the verdict of the health checks.
    case server(ServerID, Health, key: String)
    case upstream(ServerID, key: String)
    /// An operator has ordered the server with this key to drain.
    case drained(key: String)
    /// The same to get no work at all.
    case disabled(key: String)
    /// An operator has ordered another weight.
    case weight(Int32, key: String)
    /// A server that was found.
    case discovered(HandoverServer)
    /// The value of a counter of a server, named by its slot.
    case serverCounter(slot: UInt16, name: String, value: Int64)
    /// The value of a counter of the process: its group, and its name in it.
    case counter(group: String, name: String, value: Int64)
    /// How long calls took.
    case histogram(HandoverHistogram)
    /// What the digests of learned session ids are made with.
    case sessionKey([UInt8])
    /// A learned session: its digest, its server, when it was used last on the monotonic clock, and whether it is counted.
    case session(SessionKey, LearnedSessions.Entry)
    /// A learned session has ended.
    case sessionEnded(SessionKey)
    /// What is known of a session beside its server.
    case record(HandoverRecord)
    /// The session of a record has ended.
    case recordEnded(SessionKey)
    /// All that the new process needs before it accepts has been said.
    case complete
    /// All workers of the new process accept; the sockets that it has no listener for, by the numbers they were handed over
    /// with.
    case ready(unused: [Descriptor])
    /// The new process will not take over.
    case failed(String)

    /// What health checks have found out.
    enum Health: String, Sendable { case up, down, unchecked }

    /// The line, without its end.
    var line: String {
        switch self {
        case .server(let id, let health, let key): "server \(id.slot) \(id.generation) \(health.rawValue) \(key)"
        case .upstream(let id, let key): "upstream \(id.slot) \(id.generation) \(key)"
        case .drained(let key): "drained \(key)"
        case .disabled(let key): "disabled \(key)"
        case .weight(let weight, let key): "weight \(weight) \(key)"
        case .discovered(let server): (["discovered"] + server.words).joined(separator: " ")
        case .serverCounter(let slot, let name, let value): "count \(slot) \(name) \(value)"
        case .counter(let group, let name, let value): "total \(group) \(name) \(value)"
        case .histogram(let histogram): "histogram " + histogram.words.joined(separator: " ")
        case .sessionKey(let bytes): "session-key \(HandoverText.hex(bytes))"
        case .session(let key, let entry):
            "session \(HandoverText.hex(key.high)) \(HandoverText.hex(key.low)) \(entry.server.slot) \(entry.server.generation)"
                + " \(entry.usedAt.nanoseconds)\(entry.isCounted ? "" : " uncounted")"
        case .sessionEnded(let key): "session-ended \(HandoverText.hex(key.high)) \(HandoverText.hex(key.low))"
        case .record(let record): "record " + record.words.joined(separator: " ")
        case .recordEnded(let key): "record-ended \(HandoverText.hex(key.high)) \(HandoverText.hex(key.low))"
        case .complete: "complete"
        case .ready(let unused): (["ready"] + unused.map { "\($0.raw)" }).joined(separator: " ")
        case .failed(let reason): "failed \(reason)"
        }
    }

    /// Reads a line; nil if it is not understood.
    init?(_ line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard let kind = words.first else { return nil }
        let rest = Array(words.dropFirst())
        switch kind {
        case "server", "upstream", "session-key", "session", "session-ended", "record-ended":
            self.init(kind, state: rest)
        case "count": self.init(serverCounter: rest)
        case "total": self.init(counter: rest)
        case "histogram":
            guard let histogram = HandoverHistogram(words: rest) else { return nil }
            self = .histogram(histogram)
        case "record":
            guard let record = HandoverRecord(words: rest) else { return nil }
            self = .record(record)
        case "discovered":
            guard let server = HandoverServer(words: rest) else { return nil }
            self = .discovered(server)
        case "drained" where !rest.isEmpty: self = .drained(key: rest.joined(separator: " "))
        case "disabled" where !rest.isEmpty: self = .disabled(key: rest.joined(separator: " "))
        case "weight":
            guard rest.count > 1, let weight = Int32(rest[0]), (1...1_000).contains(weight) else { return nil }
            self = .weight(weight, key: rest[1...].joined(separator: " "))
        case "complete" where rest.isEmpty: self = .complete
        case "ready":
            let numbers = rest.compactMap { CInt($0) }
            guard numbers.count == rest.count else { return nil }
            self = .ready(unused: numbers.map { Descriptor($0) })
        case "failed": self = .failed(rest.joined(separator: " "))
        default: return nil
        }
    }

    private init?(_ kind: Substring, state words: [Substring]) {
        switch (kind, words.count) {
        case ("server", 4...):
            guard let id = Self.id(words[0], words[1]), let health = Health(rawValue: String(words[2])) else {
                return nil
            }
            self = .server(id, health, key: words[3...].joined(separator: " "))
        case ("upstream", 3...):
            guard let id = Self.id(words[0], words[1]) else { return nil }
            self = .upstream(id, key: words[2...].joined(separator: " "))
        case ("session-key", 1):
            guard words[0].count <= 128, let bytes = HandoverText.bytes(words[0]) else { return nil }
            self = .sessionKey(bytes)
        case ("session", 5...6):
            guard let key = Self.key(words), let server = Self.id(words[2], words[3]), let usedAt = UInt64(words[4]),
                words.count == 5 || words[5] == "uncounted"
            else { return nil }
            let time = Instant(nanoseconds: usedAt)
            self = .session(key, .init(server: server, usedAt: time, isCounted: words.count == 5))
        case ("session-ended", 2), ("record-ended", 2):
            guard let key = Self.key(words) else { return nil }
            self = kind == "session-ended" ? .sessionEnded(key) : .recordEnded(key)
        default: return nil
        }
    }

    private init?(serverCounter words: [Substring]) {
        guard words.count == 3, let slot = UInt16(words[0]), let value = Int64(words[2]) else { return nil }
        self = .serverCounter(slot: slot, name: String(words[1]), value: value)
    }

    private init?(counter words: [Substring]) {
        guard words.count == 3, let value = Int64(words[2]) else { return nil }
        self = .counter(group: String(words[0]), name: String(words[1]), value: value)
    }

    private static func id(_ slot: Substring, _ generation: Substring) -> ServerID? {
        guard let slot = UInt16(slot), let generation = UInt16(generation) else { return nil }
        return ServerID(slot: slot, generation: generation)
    }

    private static func key(_ words: [Substring]) -> SessionKey? {
        guard let high = UInt64(words[0], radix: 16), let low = UInt64(words[1], radix: 16) else { return nil }
        return SessionKey(high: high, low: low)
    }
}
