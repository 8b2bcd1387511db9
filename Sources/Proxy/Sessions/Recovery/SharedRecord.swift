import ASCII
import JSON
import MCP

/// What another Berth has to be told to recover a session, as it stands in a store:
///
///     1 NAME REVISION 117 64 0 25 31\n{"protocolVersion":...}{"tools":{}}...
///
/// The name of the record, the revision that the session speaks, and the lengths of what follows: the `params` of `initialize`, the
/// server's `capabilities`, the `params` of the last `logging/setLevel` (0: none) and of each `resources/subscribe` in force. It says
/// nothing of whether the session holds state.
struct SharedRecord: Equatable {
    var params: [UInt8]
    var result: InitializeResult
    var logLevel: [UInt8] = []
    var subscriptions: [[UInt8]] = []

    /// Longer records are not shared, or without the subscriptions if that is enough.
    static var maximumBytes: Int { 32_768 }

    /// Of what this Berth knows; nil if that is not enough.
    init?(_ record: SessionRecord) {
        guard let handshake = record.handshake, let result = record.result, Self.isObject(handshake.params),
            Self.isRevision(result.protocolVersion[...])
        else { return nil }
        params = handshake.params
        self.result = result
        if Self.isParameter(record.logLevel) { logLevel = record.logLevel }
        subscriptions = record.subscriptions.filter(Self.isParameter)
    }

    /// The text of the record of this name; nil if it were too long.
    func text(name: [UInt8]) -> [UInt8]? {
        text(name, subscriptions) ?? text(name, [])
    }

    private func text(_ name: [UInt8], _ subscriptions: [[UInt8]]) -> [UInt8]? {
        let parts = [params, result.capabilities, logLevel] + subscriptions
        var text = Array("1 ".utf8) + name + Array(" ".utf8) + result.protocolVersion
        for part in parts { text += Array(" \(part.count)".utf8) }
        text.append(UInt8(ascii: "\n"))
        let count = parts.reduce(text.count) { $0 + $1.count }
        guard count <= Self.maximumBytes else { return nil }
        for part in parts { text += part }
        return text
    }

    /// Reads the text of the record of this name. Nil if it is none, if it is another session's, or of a version that is not known
    /// here: whatever stands in it becomes part of requests to servers.
    init?(_ text: [UInt8], name: [UInt8]) {
        guard text.count <= Self.maximumBytes, let end = text.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = text[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count >= 6, words.count <= 6 + SessionRecord.maximumSubscriptions, words[0].elementsEqual("1".utf8),
            words[1].elementsEqual(name), Self.isRevision(words[2])
        else { return nil }
        var (parts, start): ([[UInt8]], Int) = ([], end + 1)
        for word in words[3...] {
            guard let count = Array(word).span.decimal, count <= UInt64(text.count - start) else { return nil }
            parts.append(Array(text[start..<start + Int(count)]))
            start += Int(count)
        }
        guard start == text.count, Self.areUsable(parts) else { return nil }
        params = parts[0]
        result = InitializeResult(protocolVersion: Array(words[2]), capabilities: parts[1])
        logLevel = parts[2]
        subscriptions = Array(parts[3...])
    }

    private static func areUsable(_ parts: [[UInt8]]) -> Bool {
        guard parts[0].count <= Handshake.maximumBytes, isObject(parts[0]), isObject(parts[1]) else { return false }
        if !parts[2].isEmpty, !isParameter(parts[2]) { return false }
        return parts[3...].allSatisfy(isParameter)
    }

    private static func isParameter(_ text: [UInt8]) -> Bool {
        text.count <= SessionRecord.maximumParameterBytes && isObject(text)
    }

    private static func isRevision(_ word: ArraySlice<UInt8>) -> Bool {
        !word.isEmpty && word.count <= 32
            && word.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Whether the text is one JSON object and nothing else.
    private static func isObject(_ text: [UInt8]) -> Bool {
        var reader = JSONReader()
        let text = text.span
        guard reader.openObject(text) else { return false }
        while reader.nextName(text) != nil, reader.value(text) != nil {}
        return reader.failure == nil && reader.isAtEnd(text)
    }
}
