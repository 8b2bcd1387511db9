import ASCII

/// Finds the server's session id and Berth's signature in the request target of an HTTP+SSE message (MCP 2024-11-05).
package enum LegacyTarget {
    /// The name of the query parameter with the signed endpoint. Berth appends it to the endpoint that the server
    /// announces, and removes it before it forwards a message.
    package static var signatureParameterName: StaticString { "_berth" }

    /// The separator between a target and `name=value`: an ampersand if there is a query, even an empty one, so that
    /// removing the parameter restores the same bytes; else a question mark.
    package static func signatureSeparator(for target: Span<UInt8>) -> UInt8 {
        queryStart(in: target) == nil ? UInt8(ascii: "?") : UInt8(ascii: "&")
    }

    /// The value of the first non-empty `session_id`, `sessionId` or `sessionid` in the query, the three names that the
    /// SDKs' servers use. Other spellings are not recognised.
    package static func sessionParameter(in target: Span<UInt8>) -> Range<Int>? {
        var parameters = ParameterCursor(target)
        while let parameter = parameters.next(in: target) {
            guard let value = parameter.value, !value.isEmpty else { continue }
            if isSessionName(target.extracting(parameter.name)) { return value }
        }
        return nil
    }

    /// Whether a POST to this target belongs to an HTTP+SSE session: it has the server's parameter, or Berth's
    /// signature, which also covers endpoints that name their session in another way, such as in the path.
    package static func isMessage(_ target: Span<UInt8>) -> Bool {
        sessionParameter(in: target) != nil || signatureParameter(in: target) != nil
    }

    /// Berth's parameter: `value` is the signed endpoint, and deleting `removal` restores the target that the server
    /// announced. Of several the last one counts, because another Berth behind this one may have added its own first.
    package static func signatureParameter(in target: Span<UInt8>) -> (removal: Range<Int>, value: Range<Int>)? {
        var parameters = ParameterCursor(target)
        var found: (removal: Range<Int>, value: Range<Int>)?
        while let parameter = parameters.next(in: target) {
            guard let value = parameter.value, target.extracting(parameter.name).equals(signatureParameterName) else {
                continue
            }
            found = (removal(of: parameter.name.lowerBound..<value.upperBound, from: target), value)
        }
        return found
    }

    /// Extends a parameter's range by its separator: the one before it, or, for the first of several, the one after it.
    private static func removal(of parameter: Range<Int>, from target: Span<UInt8>) -> Range<Int> {
        let isFirst = target[parameter.lowerBound - 1] == UInt8(ascii: "?")
        let isFollowed = parameter.upperBound < target.count && target[parameter.upperBound] == UInt8(ascii: "&")
        if isFirst && isFollowed { return parameter.lowerBound..<(parameter.upperBound + 1) }
        return (parameter.lowerBound - 1)..<parameter.upperBound
    }

    private static func isSessionName(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 9: name.equals("sessionId") || name.equals("sessionid")
        case 10: name.equals("session_id")
        default: false
        }
    }

    /// The index after the first question mark; nil if there is none before a fragment. A request target should have no
    /// fragment.
    fileprivate static func queryStart(in target: Span<UInt8>) -> Int? {
        for index in target.indices {
            switch target[index] {
            case UInt8(ascii: "?"): return index + 1
            case UInt8(ascii: "#"): return nil
            default: continue
            }
        }
        return nil
    }
}

/// Iterates over the parameters of a target's query. A fragment ends the query.
private struct ParameterCursor {
    private var position: Int?

    init(_ target: Span<UInt8>) {
        position = LegacyTarget.queryStart(in: target)
    }

    mutating func next(in target: Span<UInt8>) -> (name: Range<Int>, value: Range<Int>?)? {
        guard let start = position else { return nil }
        var equals: Int?
        var end = start
        while end < target.count, target[end] != UInt8(ascii: "&"), target[end] != UInt8(ascii: "#") {
            if equals == nil, target[end] == UInt8(ascii: "=") { equals = end }
            end += 1
        }
        position = end < target.count && target[end] == UInt8(ascii: "&") ? end + 1 : nil
        guard let equals else { return (start..<end, nil) }
        return (start..<equals, (equals + 1)..<end)
    }
}
