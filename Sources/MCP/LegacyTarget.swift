import ASCII

/// The request target of an HTTP+SSE message (2024-11-05): where the server's session id and our own seal stand in it.
package enum LegacyTarget {
    /// The query parameter that carries our seal. Appended last to what the server announced, cut out again before the
    /// server sees the request.
    package static var signatureParameterName: StaticString { "_berth" }

    /// What to put between a target and `name=value`: an ampersand once there is a query, even an empty one, so that
    /// cutting the parameter gives back the very same bytes.
    package static func signatureSeparator(for target: Span<UInt8>) -> UInt8 {
        queryStart(in: target) == nil ? UInt8(ascii: "?") : UInt8(ascii: "&")
    }

    /// The value of the first `session_id`, `sessionId` or `sessionid` in the query that is not empty: the three names
    /// that SDK servers use. Other spellings are not an MCP session.
    package static func sessionParameter(in target: Span<UInt8>) -> Range<Int>? {
        var parameters = ParameterCursor(target)
        while let parameter = parameters.next(in: target) {
            guard let value = parameter.value, !value.isEmpty else { continue }
            if isSessionName(target.extracting(parameter.name)) { return value }
        }
        return nil
    }

    /// Whether a POST to this target belongs to an HTTP+SSE session: by the server's parameter, or by our seal, which
    /// also vouches for endpoints that name their session in another way, in the path say.
    package static func isMessage(_ target: Span<UInt8>) -> Bool {
        sessionParameter(in: target) != nil || signatureParameter(in: target) != nil
    }

    /// Our own parameter: `value` is the seal, and deleting `cut` leaves the target the server announced. The last one
    /// counts, as another Berth behind this one may have put its own before ours.
    package static func signatureParameter(in target: Span<UInt8>) -> (cut: Range<Int>, value: Range<Int>)? {
        var parameters = ParameterCursor(target)
        var found: (cut: Range<Int>, value: Range<Int>)?
        while let parameter = parameters.next(in: target) {
            guard let value = parameter.value, target.extracting(parameter.name).equals(signatureParameterName) else {
                continue
            }
            found = (cut(parameter.name.lowerBound..<value.upperBound, from: target), value)
        }
        return found
    }

    /// Widens a parameter to the separator that came with it: the one before it, except that the question mark stays
    /// when other parameters follow.
    private static func cut(_ parameter: Range<Int>, from target: Span<UInt8>) -> Range<Int> {
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

    /// The index after the first question mark. A fragment, which has no place in a request, ends the search.
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

/// Walks the parameters of a target's query. A fragment, which has no place in a request, ends the query.
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
