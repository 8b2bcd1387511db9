/// One `[[route]]` table.
struct ImportedRoute {
    /// Nil matches every host.
    var host: String?
    var path: ImportedPath = .any
    var action: Action
    /// Fields of responses that are set, in order.
    var setFields: [Field] = []
    /// Names of fields that are removed from responses.
    var removedFields: [String] = []
    var access = AccessList()
    /// The lines it comes from; empty for the second and further routes of the same lines.
    var blocks: [SourceBlock] = []
    /// A comment of its own, in sentences; empty for none.
    var comment = ""

    /// What is done with a request.
    enum Action: Equatable {
        /// It goes to an upstream, without this beginning of its path.
        case upstream(String, stripping: String?)
        /// It is answered.
        case respond(status: Int, body: String?, type: String?)
        /// It is sent to this URL; to an origin alone with its path and query.
        case redirect(to: String)
        /// It is answered with a file of a folder.
        case files(String)
        /// There is no table, only the comments of lines that became none.
        case nothing
    }

    struct Field: Equatable {
        var name: String
        var value: String
    }

    /// Whether every request that the other route matches is taken by this one.
    func covers(_ other: ImportedRoute) -> Bool {
        guard host == nil || host == other.host else { return false }
        return path.covers(other.path)
    }
}

/// The paths that a route matches.
enum ImportedPath: Hashable {
    case any
    /// "/mcp": that path, and "/mcp/".
    case exact(String)
    /// "/mcp": that path and all below.
    case prefix(String)

    func covers(_ other: ImportedPath) -> Bool {
        switch (self, other) {
        case (.any, _): true
        case (.exact(let mine), .exact(let theirs)): mine == theirs
        case (.prefix(let mine), .exact(let theirs)), (.prefix(let mine), .prefix(let theirs)):
            theirs == mine || theirs.hasPrefix(mine + "/")
        case (.exact, .any), (.exact, .prefix), (.prefix, .any): false
        }
    }

    /// As the file writes it; nil for every path.
    var text: String? {
        switch self {
        case .any: nil
        case .exact(let path): path
        case .prefix(let path): path + "/*"
        }
    }

    /// The path of an exact match: "/" or without a slash at its end. Nil for a text that is no path of Berth's.
    static func exact(written text: String) -> ImportedPath? {
        guard isPath(text) else { return nil }
        return .exact(text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text)
    }

    /// The paths that begin with a text. Nil for a text that is no path, or that ends within a segment in a way that could
    /// not be told by whole segments: "/oauth-".
    static func prefix(written text: String) -> ImportedPath? {
        guard isPath(text) else { return nil }
        if text == "/" { return .any }
        let stem = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let last = stem.utf8.last, !"-_.~=,;:@".utf8.contains(last), !stem.isEmpty else { return nil }
        return .prefix(stem)
    }

    private static func isPath(_ text: String) -> Bool {
        guard text.hasPrefix("/"), !text.contains("*"), !text.contains("?"), !text.contains("#") else { return false }
        guard text.utf8.count <= 1_024, !text.hasPrefix("//") else { return false }
        return text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}
