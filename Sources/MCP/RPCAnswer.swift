import JSON

/// A server's answer to a request of our own, as far as a check of the server needs it.
package struct RPCAnswer: Equatable, Sendable {
    /// What the message is.
    package enum Kind: Equatable, Sendable {
        case result
        /// With the error's code; 0 if that is no number.
        case error(code: Int)
    }

    /// Result or error.
    package var kind: Kind
    /// `protocolVersion` of an InitializeResult, between its quotes.
    package var protocolVersion: Range<Int>?
    /// `supportedVersions` of a DiscoverResult, or `supported` in the data of error -32022.
    package var supported: ProtocolRevisions = []
    /// Whether there was a list of versions, whatever stood in it.
    package var hasVersionList = false
    /// `tools` of a ListToolsResult: an array, its brackets included.
    package var tools: Range<Int>?
    /// `nextCursor` of a ListToolsResult, between its quotes, escapes as written.
    package var nextCursor: Range<Int>?

    /// The code of UnsupportedProtocolVersionError (2026-07-28).
    package static var unsupportedVersion: Int { -32022 }

    /// Reads a message; nil if it is no JSON-RPC response, or not a whole one.
    package init?(_ body: Span<UInt8>) {
        var reader = JSONReader()
        guard reader.openObject(body) else { return nil }
        var kind: Kind?
        var answer = RPCAnswer(kind: .result)
        while let name = reader.nextName(body) {
            let key = body.extracting(name)
            if JSONString.content(key, equals: "result"), kind == nil {
                kind = .result
                answer.readResult(body, &reader)
            } else if JSONString.content(key, equals: "error"), kind == nil {
                kind = .error(code: answer.readError(body, &reader))
            } else {
                _ = reader.value(body)
            }
        }
        guard reader.isAtEnd(body), let kind else { return nil }
        self = answer
        self.kind = kind
    }

    private init(kind: Kind) { self.kind = kind }

    private mutating func readResult(_ body: Span<UInt8>, _ reader: inout JSONReader) {
        guard reader.openObject(body) else {
            _ = reader.value(body)
            return
        }
        while let name = reader.nextName(body) {
            let key = body.extracting(name)
            let first = reader.peek(body)
            if JSONString.content(key, equals: "supportedVersions") {
                readVersions(body, &reader)
            } else if JSONString.content(key, equals: "protocolVersion"), first == UInt8(ascii: "\"") {
                protocolVersion = reader.string(body)
            } else if JSONString.content(key, equals: "nextCursor"), first == UInt8(ascii: "\"") {
                nextCursor = reader.string(body)
            } else if JSONString.content(key, equals: "tools"), first == UInt8(ascii: "[") {
                tools = reader.value(body)
            } else {
                _ = reader.value(body)
            }
        }
    }

    /// Reads an error and returns its code.
    private mutating func readError(_ body: Span<UInt8>, _ reader: inout JSONReader) -> Int {
        guard reader.openObject(body) else {
            _ = reader.value(body)
            return 0
        }
        var code = 0
        while let name = reader.nextName(body) {
            let key = body.extracting(name)
            if JSONString.content(key, equals: "code") {
                code = reader.value(body).flatMap { Self.integer(body.extracting($0)) } ?? 0
            } else if JSONString.content(key, equals: "data"), reader.openObject(body) {
                while let member = reader.nextName(body) {
                    if JSONString.content(body.extracting(member), equals: "supported") {
                        readVersions(body, &reader)
                    } else {
                        _ = reader.value(body)
                    }
                }
            } else {
                _ = reader.value(body)
            }
        }
        return code
    }

    private mutating func readVersions(_ body: Span<UInt8>, _ reader: inout JSONReader) {
        guard reader.openArray(body) else {
            _ = reader.value(body)
            return
        }
        hasVersionList = true
        while reader.nextElement(body) {
            if reader.peek(body) == UInt8(ascii: "\""), let version = reader.string(body) {
                supported.formUnion(ProtocolRevisions(version: body.extracting(version)))
            } else {
                _ = reader.value(body)
            }
        }
    }

    /// A whole number of at most nine digits.
    private static func integer(_ text: Span<UInt8>) -> Int? {
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        var value = 0
        guard text.count <= 10 else { return nil }
        for index in (isNegative ? 1 : 0)..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return isNegative ? -value : value
    }
}
