extension TableReader {
    /// `strip_prefix`: begins with a slash, and does not end with one. `path`: the route's; nil if that is invalid.
    mutating func strippedPrefix(path pattern: PathPattern?) -> String? {
        guard let (text, entry) = text("strip_prefix") else { return nil }
        let prefix = text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
        if let (reason, help) = prefixProblem(prefix) {
            findings.report(entry.value.range, "\(quote(entry)) cannot be stripped", because: reason, help: help)
            return nil
        }
        guard let pattern else { return prefix }
        let known: String? =
            switch pattern {
            case .any: nil
            case .exact(let path), .prefix(let path): path
            }
        if known == prefix || known?.hasPrefix("\(prefix)/") == true { return prefix }
        let others = known.map { $0 == "/" || prefix.hasPrefix("\($0)/") } ?? true
        findings.report(
            entry.value.range, "\(quote(entry)) does not go with this route's path",
            because: others && pattern.isOpen
                ? "the route also matches paths that do not begin with it"
                : "no path that the route matches begins with it",
            help: "path = \(TOMLText.quoted("\(prefix)/*"))")
        return nil
    }

    private func prefixProblem(_ prefix: String) -> (reason: String, help: String?)? {
        let segments = prefix.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if prefix == "/" { return ("nothing would be stripped", nil) }
        if !prefix.hasPrefix("/") {
            return ("a prefix begins with \"/\"", "strip_prefix = \(TOMLText.quoted("/\(prefix)"))")
        }
        if prefix.hasSuffix("/*") || prefix.contains("*") {
            let stem = prefix.prefix { $0 != "*" }
            return (
                "a prefix is text, not a pattern: path has the pattern",
                stem.count > 1
                    ? "strip_prefix = \(TOMLText.quoted(stem.hasSuffix("/") ? "\(stem.dropLast())" : "\(stem)"))" : nil
            )
        }
        if prefix.contains(where: { "?#\\;".contains($0) })
            || !prefix.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        {
            return ("it is the beginning of a path as it comes over the wire: visible ASCII, without query", nil)
        }
        if segments.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) {
            return ("no path is served whose segments are empty, \".\" or \"..\" there", nil)
        }
        if prefix.utf8.count > 256 { return ("a prefix may have 256 bytes", nil) }
        return nil
    }
}

extension PathPattern {
    /// More than one path matches.
    fileprivate var isOpen: Bool { if case .exact = self { false } else { true } }
}
