/// Paths of included files.
enum ImportPath {
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func isPattern(_ path: String) -> Bool { path.contains { "*?[".contains($0) } }

    /// The files that a name or a pattern stands for, in order: relative to a folder, or where nothing is there, to the one
    /// above, since sites are often kept in a folder below that of the main file.
    static func expand(_ pattern: String, in folder: String, _ files: SourceFiles) -> [String] {
        guard pattern.utf8.count <= 1_024 else { return [] }
        if pattern.hasPrefix("/") { return matches(pattern, files) }
        let here = matches(join(folder, pattern), files)
        guard here.isEmpty else { return here }
        let above = folder == "." ? ".." : ImportPath.folder(of: folder)
        return above == folder ? [] : matches(join(above, pattern), files)
    }

    private static func join(_ folder: String, _ name: String) -> String {
        switch folder {
        case ".": name
        case "/": "/" + name
        default: "\(folder)/\(name)"
        }
    }

    private static func matches(_ path: String, _ files: SourceFiles) -> [String] {
        guard isPattern(path) else { return files.read(path) == nil ? [] : [path] }
        // A pattern in the name of a folder is seldom, and not followed.
        let folder = folder(of: path)
        guard !isPattern(folder) else { return [] }
        let pattern = Array(
            path.utf8.suffix(
                from: path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) } ?? path.startIndex))
        return files.list(folder).filter { name in
            // As in a shell, a name that begins with a point is not meant.
            name.hasPrefix(".") == (pattern.first == UInt8(ascii: ".")) && matches(Array(name.utf8), pattern)
        }.sorted().prefix(SourceLimits.files + 1).map { join(folder, $0) }
    }

    /// Whether a name matches a pattern with "*" and "?". Linear but for the last star.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (position, wanted) = (0, 0)
        var star: (wanted: Int, position: Int)?
        while position < name.count {
            if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "*") {
                star = (wanted, position)
                wanted += 1
            } else if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "?") || pattern[wanted] == name[position]
            {
                wanted += 1
                position += 1
            } else if let last = star {
                star = (last.wanted, last.position + 1)
                (wanted, position) = (last.wanted + 1, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
