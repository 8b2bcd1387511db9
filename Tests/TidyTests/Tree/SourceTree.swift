import Foundation

/// The package's text files, read once.
struct SourceTree: Sendable {
    static let shared = SourceTree()

    /// Sources, Tests, configs, README.md.
    let files: [SourceFile]

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let endings: Set<String> = ["swift", "md", "toml", "h", "c", "modulemap", "py"]

    private init() {
        var paths = ["README.md", "Package.swift"]
        for folder in ["Sources", "Tests", "configs"] {
            let found = FileManager.default.enumerator(atPath: Self.root.appending(path: folder).path)
            while let path = found?.nextObject() as? String { paths.append("\(folder)/\(path)") }
        }
        files = paths.sorted().compactMap { path in
            guard Self.endings.contains(URL(filePath: path).pathExtension) else { return nil }
            let text = try? String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            return text.map { SourceFile(path, $0) }
        }
    }

    /// Swift files of Sources.
    var sources: [SourceFile] { swift.filter { $0.isUnder(["Sources"]) } }
    /// Swift files of Sources and Tests.
    var swift: [SourceFile] { files.filter { $0.isSwift && $0.isUnder(["Sources", "Tests"]) } }
    /// Everything but the rules themselves, which have to name what they forbid.
    var prose: [SourceFile] { files.filter { !$0.isUnder(["Tests/TidyTests"]) } }

    subscript(path: String) -> SourceFile? { files.first { $0.path == path } }
}
