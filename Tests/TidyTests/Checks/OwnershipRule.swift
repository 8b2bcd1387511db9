import Glibc

/// A type whose extensions may be written by its owners only: where anybody may add to a type, it comes to know
/// everything.
struct OwnershipRule {
    let type: String
    /// Patterns of paths; a star stands for any text, slashes included.
    let owners: [String]

    static let rules = [
        OwnershipRule(
            type: "Worker",
            owners: [
                "Sources/Proxy/Worker.swift", "Sources/Proxy/RequestPhases.swift", "Sources/Proxy/*/Worker+*.swift",
                "Tests/ProxyTests/Worker+*.swift",
            ])
    ]

    func offences(_ files: [SourceFile]) -> [Offence] {
        files.filter { file in !owners.contains { fnmatch($0, file.path, 0) == 0 } }.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                guard line.contains("extension"), extends(line) else { return nil }
                return file.offence(index, "extends \(type) and is not one of its owners")
            }
        }
    }

    private func extends(_ line: String) -> Bool {
        let tokens = Array(Tokens(line))
        return zip(tokens, tokens.dropFirst()).contains { $0 == "extension" && $1 == type }
    }
}
