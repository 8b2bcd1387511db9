/// What nginx does to a path before a server gets it, in Berth's terms.
enum PathRewrite: Equatable {
    /// Nothing.
    case none
    /// The beginning is taken off: "/x".
    case strips(String)
    /// Something that Berth has no key for.
    case other

    /// What `proxy_pass` with a path does in a location: the path takes the place of the location's.
    init(location: LocationMatch, path: String) {
        switch location {
        case .exact(let stem), .prefix(let stem, _): self = Self.replacing(stem, by: path)
        case .expression(let expression, _):
            // "^/x/(.*)$" with "/$1".
            guard let stem = Self.captured(expression), path == "/$1" || path == "$1" else {
                self = .other
                return
            }
            self = Self.replacing(path == "$1" ? stem : stem, by: path == "$1" ? "" : "/")
        case .named: self = .other
        }
    }

    /// What `rewrite EXPRESSION REPLACEMENT` does, where it takes off a beginning.
    init(expression: String, replacement: String) {
        if ["^/(.*)$", "^/(.*)", "^(.*)$", "^(/.*)$"].contains(expression),
            replacement == (expression.hasPrefix("^/") ? "/$1" : "$1")
        {
            self = .none
            return
        }
        if let stem = Self.captured(expression), replacement == "/$1" || replacement == "$1" {
            self = Self.replacing(stem, by: replacement == "$1" ? "" : "/")
        } else {
            self = .other
        }
    }

    /// "/x/" for "^/x/(.*)$" and its like, "/x" for "^/x(/.*)?$" and "^/x/?(.*)$"; nil for others.
    private static func captured(_ expression: String) -> String? {
        guard expression.hasPrefix("^/") else { return nil }
        var rest = expression.dropFirst()
        if rest.hasSuffix("$") { rest = rest.dropLast() }
        for (tail, isSlashInside) in [
            ("(/.*)?", true), ("(/.*)", true), ("/?(.*)", false), ("(.*)", false), ("(.+)", false),
        ]
        where rest.hasSuffix(tail) {
            var stem = String(rest.dropLast(tail.count)).replacing("\\.", with: ".").replacing("\\/", with: "/")
                .replacing("\\-", with: "-")
            guard !stem.contains(where: { "()[]{}*+?|\\^$".contains($0) }) else { return nil }
            if tail == "/?(.*)" { stem += "/" }
            // "^/x(.*)$" takes the slash into what is kept.
            return isSlashInside ? stem : stem
        }
        return nil
    }

    private static func replacing(_ stem: String, by path: String) -> PathRewrite {
        guard !path.contains("$"), !path.contains("?") else { return .other }
        if stem == path { return .none }
        guard stem.hasSuffix(path) else {
            // "location /x" with "/": /x/y becomes //y, and /y is meant. "location /x" with "/x/": the same.
            if path == "/", !stem.hasSuffix("/") { return strip(stem) }
            return .other
        }
        return strip(String(stem.dropLast(path.count)))
    }

    private static func strip(_ prefix: String) -> PathRewrite {
        let prefix = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
        if prefix.isEmpty { return .none }
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isPlain =
            prefix.hasPrefix("/") && prefix.utf8.count <= 256
            && !segments.contains { $0.isEmpty || $0 == "." || $0 == ".." }
            && prefix.utf8.allSatisfy { (0x21...0x7e).contains($0) } && !prefix.contains { "?#\\;*".contains($0) }
        return isPlain ? .strips(prefix) : .other
    }
}
