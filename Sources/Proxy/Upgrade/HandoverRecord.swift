import Kernel
import MCP

/// What is known of a session beside its server, on its way from one process to another: all of a `SessionRecord` but the
/// times of its recoveries.
struct HandoverRecord: Equatable, Sendable {
    var key: SessionKey
    var server: ServerID
    var usedAt: Instant
    var isDirty = false
    var isLearned = false
    var isCounted = true
    var hasForeignEvents = false
    var isForgotten = false
    var openedAt: Instant
    /// Recoveries so far.
    var generation: UInt32 = 0
    /// Nil where that is nil in the record.
    var params: [UInt8]?
    var protocolVersion: [UInt8]?
    var capabilities: [UInt8]?
    var recoveredID: [UInt8]?
    var logLevel: [UInt8] = []
    var subscriptions: [[UInt8]] = []
    var serverRequests: [[UInt8]] = []

    init(_ key: SessionKey, _ record: SessionRecord) {
        self.key = key
        server = record.server
        usedAt = record.usedAt
        isDirty = record.isDirty
        isLearned = record.isLearned
        isCounted = record.isCounted
        hasForeignEvents = record.hasForeignEvents
        isForgotten = record.isForgotten
        openedAt = record.openedAt
        generation = record.recovery.generation
        params = record.handshake?.params
        protocolVersion = record.result?.protocolVersion
        capabilities = record.result?.capabilities
        recoveredID = record.recoveredID
        logLevel = record.logLevel
        subscriptions = record.subscriptions
        serverRequests = record.serverRequests
    }

    /// The record that it was made of. Its budget of recoveries begins anew.
    var record: SessionRecord {
        var record = SessionRecord(
            server: server, usedAt: usedAt, openedAt: openedAt, handshake: params.map { Handshake(params: $0) })
        record.isDirty = isDirty
        record.isLearned = isLearned
        record.isCounted = isCounted
        record.hasForeignEvents = hasForeignEvents
        record.isForgotten = isForgotten
        // Its end was counted when it was forgotten.
        record.isOver = isForgotten
        record.recovery.generation = generation
        if let protocolVersion, let capabilities {
            record.result = InitializeResult(protocolVersion: protocolVersion, capabilities: capabilities)
        }
        record.recoveredID = recoveredID
        record.logLevel = logLevel
        record.subscriptions = subscriptions
        record.serverRequests = serverRequests
        return record
    }

    // MARK: - Text

    /// The words of its line: numbers, then bytes in hexadecimal digits behind an "=", "-" for what is nil, lists with commas.
    var words: [String] {
        let flags = [isDirty, isLearned, isCounted, hasForeignEvents, isForgotten].map { $0 ? "1" : "0" }.joined()
        let parts = [params, protocolVersion, capabilities, recoveredID, logLevel].map(HandoverText.word)
        return [
            HandoverText.hex(key.high), HandoverText.hex(key.low), "\(server.slot)", "\(server.generation)",
            "\(usedAt.nanoseconds)", flags, "\(generation)",
        ] + parts + [subscriptions, serverRequests].map(HandoverText.list) + ["\(openedAt.nanoseconds)"]
    }

    /// Nil if the words are not those of a record. The last word, and the last flag, came later than the others.
    init?(words: [Substring]) {
        guard (14...15).contains(words.count), let high = UInt64(words[0], radix: 16),
            let low = UInt64(words[1], radix: 16),
            let slot = UInt16(words[2]), let slotGeneration = UInt16(words[3]), let used = UInt64(words[4]),
            (4...5).contains(words[5].count), let generation = UInt32(words[6]),
            let opened = UInt64(words.count > 14 ? words[14] : words[4]),
            let subscriptions = HandoverText.list(words[12]), let requests = HandoverText.list(words[13])
        else { return nil }
        let flags = words[5].map { $0 == "1" }
        key = SessionKey(high: high, low: low)
        server = ServerID(slot: slot, generation: slotGeneration)
        usedAt = Instant(nanoseconds: used)
        (isDirty, isLearned, isCounted, hasForeignEvents) = (flags[0], flags[1], flags[2], flags[3])
        isForgotten = flags.count > 4 && flags[4]
        openedAt = Instant(nanoseconds: opened)
        self.generation = generation
        let parts = words[7...11].map(HandoverText.value)
        guard parts.allSatisfy({ $0 != nil }) else { return nil }
        params = parts[0] ?? nil
        protocolVersion = parts[1] ?? nil
        capabilities = parts[2] ?? nil
        recoveredID = parts[3] ?? nil
        logLevel = (parts[4] ?? nil) ?? []
        self.subscriptions = subscriptions
        serverRequests = requests
    }
}

/// Bytes as words of a line.
enum HandoverText {
    static func hex(_ number: UInt64) -> String { String(number, radix: 16) }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil if the text is no even number of hexadecimal digits.
    static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    static func word(_ bytes: [UInt8]?) -> String { bytes.map { "=" + hex($0) } ?? "-" }

    /// Nil if the word is none; a nil within for "-".
    static func value(_ word: Substring) -> [UInt8]?? {
        if word == "-" { return .some(nil) }
        guard word.hasPrefix("="), let bytes = bytes(word.dropFirst()) else { return nil }
        return .some(bytes)
    }

    static func list(_ values: [[UInt8]]) -> String {
        values.isEmpty ? "-" : values.map { "=" + hex($0) }.joined(separator: ",")
    }

    static func list(_ word: Substring) -> [[UInt8]]? {
        if word == "-" { return [] }
        var values: [[UInt8]] = []
        for part in word.split(separator: ",", omittingEmptySubsequences: false) {
            guard part.hasPrefix("="), let bytes = bytes(part.dropFirst()) else { return nil }
            values.append(bytes)
        }
        return values
    }
}
