import ASCII

/// A reference in a response header field, such as `Location` (RFC 9110 section 10.2.2), that points at the server itself.
enum OwnReference {
    /// Whether a reference is a path from the root on, without scheme and host.
    static func isPath(_ reference: [UInt8]) -> Bool {
        let slash = UInt8(ascii: "/")
        return reference.first == slash && reference.dropFirst().first != slash
    }

    /// The path of the server's own that a reference names, with its query and fragment; nil if it names another host, or
    /// is relative to what the client has asked for, which finds the right place by itself. `authorities`: the names by
    /// which the server may know itself.
    static func path(_ reference: [UInt8], authorities: [[UInt8]]) -> [UInt8]? {
        let slash = UInt8(ascii: "/")
        var rest = reference[...]
        for scheme in ["http:", "https:"] where rest.count > scheme.utf8.count + 1 {
            let prefix = Array(scheme.utf8)
            guard reference.prefix(prefix.count).elementsEqual(prefix, by: { $0.lowercased == $1 }),
                reference[prefix.count] == slash
            else { continue }
            rest = reference[prefix.count...]
            // With a scheme and without an authority it is no reference of HTTP.
            guard rest.dropFirst().first == slash else { return nil }
        }
        guard rest.first == slash else { return nil }
        guard rest.dropFirst().first == slash else { return Array(rest) }
        rest = rest.dropFirst(2)
        let ends: [UInt8] = [slash, UInt8(ascii: "?"), UInt8(ascii: "#")]
        let end = rest.firstIndex { ends.contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        guard authorities.contains(where: { $0.elementsEqual(authority) { $0.lowercased == $1.lowercased } }) else {
            return nil
        }
        let path = rest[end...]
        return path.first == slash ? Array(path) : [slash] + path
    }
}
