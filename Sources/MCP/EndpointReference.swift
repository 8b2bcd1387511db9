import ASCII

/// Resolves the data of an `endpoint` event (MCP 2024-11-05) against the request target of its stream, as a client
/// does: by RFC 3986 section 5 and the WHATWG URL standard.
///
/// The result is always a path with an optional query. So the client stays on the origin that it connected to, whatever
/// internal name and port the server has in its endpoint. Used once for each session, so it may allocate.
package enum EndpointReference {
    /// Returns the path and query that replace `data`. Nil if the data is no http(s) URL or reference, or has a path
    /// that begins with two slashes, which a client would read as another host.
    ///
    /// `target` is the request target of the GET, in origin or absolute form. Dot segments are removed, and bytes that
    /// clients percent-encode are encoded, so that every client sends exactly the bytes of the event.
    package static func resolve(data: Span<UInt8>, against target: Span<UInt8>) -> [UInt8]? {
        let reference = normalized(data)
        guard let base = originForm(normalized(target)), base.first == slash else { return nil }
        let (path, query): (ArraySlice<UInt8>, ArraySlice<UInt8>?)
        switch split(reference) {
        case .unsupported: return nil
        case .absolute(let rest):
            (path, query) = splitQuery(rest)
        case .relative(let rest):
            let (basePath, baseQuery) = splitQuery(base)
            let (ownPath, ownQuery) = splitQuery(rest)
            if ownPath.isEmpty {
                (path, query) = (basePath, ownQuery ?? baseQuery)
            } else if ownPath.first == slash {
                (path, query) = (ownPath, ownQuery)
            } else {
                let directory = basePath.prefix(through: basePath.lastIndex(of: slash) ?? basePath.startIndex)
                (path, query) = (ArraySlice(directory + ownPath), ownQuery)
            }
        }

        var result = withoutDotSegments(path)
        if result.count > 1, result[1] == slash { return nil }
        result = escaped(result[...], asQuery: false)
        guard let query else { return result }
        return result + [UInt8(ascii: "?")] + escaped(query, asQuery: true)
    }

    private static let slash = UInt8(ascii: "/")

    private enum Reference {
        /// Another scheme than http(s), or a URL without a host.
        case unsupported
        /// A URL: its path and query, which begin with a slash.
        case absolute(ArraySlice<UInt8>)
        /// A reference without an origin.
        case relative(ArraySlice<UInt8>)
    }

    /// Applies the first steps of the WHATWG URL parser: removes surrounding spaces and control characters, tabs and
    /// line ends everywhere and the fragment, and replaces backslashes before the query with slashes.
    private static func normalized(_ bytes: Span<UInt8>) -> [UInt8] {
        var start = 0
        var end = bytes.count
        while start < end, bytes[start] <= 0x20 { start += 1 }
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        var result: [UInt8] = []
        var isInQuery = false
        for index in start..<end {
            switch bytes[index] {
            case 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "#"): return result
            case UInt8(ascii: "\\") where !isInQuery: result.append(slash)
            case let byte:
                if byte == UInt8(ascii: "?") { isInQuery = true }
                result.append(byte)
            }
        }
        return result
    }

    /// Splits a reference from its origin, if it has one.
    private static func split(_ reference: [UInt8]) -> Reference {
        var rest = reference[...]
        if let end = schemeEnd(of: reference) {
            let scheme = String(decoding: reference[..<end], as: UTF8.self).lowercased()
            guard scheme == "http" || scheme == "https" else { return .unsupported }
            rest = reference[(end + 1)...]
            guard rest.starts(with: [slash, slash]) else { return .unsupported }
        }
        guard rest.starts(with: [slash, slash]) else { return .relative(rest) }
        rest = rest.dropFirst(2)
        let end = rest.firstIndex { $0 == slash || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard end > rest.startIndex else { return .unsupported }
        let tail = rest[end...]
        return .absolute(tail.first == slash ? tail : [slash] + tail)
    }

    /// The index of the colon after a scheme (RFC 3986 section 3.1); nil if there is no scheme.
    private static func schemeEnd(of reference: [UInt8]) -> Int? {
        for (index, byte) in reference.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                if index == 0 { return nil }
            case UInt8(ascii: ":"): return index == 0 ? nil : index
            default: return nil
            }
        }
        return nil
    }

    /// The request target without its origin, if it came in absolute form.
    private static func originForm(_ target: [UInt8]) -> ArraySlice<UInt8>? {
        // A target in origin form may begin with two slashes without naming a host.
        if target.first == slash { return target[...] }
        guard case .absolute(let rest) = split(target) else { return nil }
        return rest
    }

    private static func splitQuery(_ bytes: ArraySlice<UInt8>) -> (path: ArraySlice<UInt8>, query: ArraySlice<UInt8>?) {
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return (bytes, nil) }
        return (bytes[..<mark], bytes[(mark + 1)...])
    }

    /// Removes `.` and `..` segments (RFC 3986 section 5.2.4). A dot may be written as `%2e`, which clients treat
    /// alike.
    private static func withoutDotSegments(_ path: ArraySlice<UInt8>) -> [UInt8] {
        var result: [ArraySlice<UInt8>] = []
        let segments = path.dropFirst().split(separator: slash, omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let dots = dotCount(segment)
            if dots == 2 { _ = result.popLast() }
            if dots == 0 {
                result.append(segment)
            } else if index == segments.count - 1 {
                result.append([])
            }
        }
        return [slash] + Array(result.joined(separator: [slash]))
    }

    /// Returns 1 for the segment `.`, 2 for `..`, 0 for any other.
    private static func dotCount(_ segment: ArraySlice<UInt8>) -> Int {
        guard segment.count <= 6 else { return 0 }
        switch String(decoding: segment, as: UTF8.self).lowercased() {
        case ".", "%2e": return 1
        case "..", ".%2e", "%2e.", "%2e%2e": return 2
        default: return 0
        }
    }

    /// Percent-encodes the bytes of WHATWG's path or special-query percent-encode set. Existing escapes stay.
    private static func escaped(_ bytes: ArraySlice<UInt8>, asQuery: Bool) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if needsEscape(byte, asQuery: asQuery) {
                result.append(UInt8(ascii: "%"))
                result.append(UInt8(hexadecimalDigit: byte >> 4).uppercased)
                result.append(UInt8(hexadecimalDigit: byte & 15).uppercased)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private static func needsEscape(_ byte: UInt8, asQuery: Bool) -> Bool {
        switch byte {
        case 0...0x20, 0x7F...0xFF, UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"): true
        case UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "}"): !asQuery
        case UInt8(ascii: "'"): asQuery
        default: false
        }
    }
}
