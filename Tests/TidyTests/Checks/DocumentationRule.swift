/// What other modules may use says what it is.
enum DocumentationRule {
    /// The undocumented declarations of all modules. Files outside a module, such as tests, need no comments.
    static func offences(_ files: [SourceFile]) -> [Offence] {
        files.filter { $0.module != nil }.flatMap(undocumented)
    }

    private static let declarations: Set<String> = [
        "func", "var", "let", "struct", "enum", "class", "protocol", "typealias", "case", "init", "subscript", "actor",
    ]
    /// What the protocol says that asks for them is all there is to say.
    private static let wellKnown = [
        "var description", "var debugDescription", "var errorDescription", "var localizedDescription", "func ==",
        "func hash(", "func <",
    ]

    /// `package` and `public` declarations without a `///` comment in the line before, attributes apart.
    static func undocumented(_ file: SourceFile) -> [Offence] {
        file.code.indices.compactMap { index in
            guard let declaration = declaration(file.code[index]), !isDocumented(file, index),
                !wellKnown.contains(where: declaration.contains), !isPlainInitializer(file, index, declaration)
            else { return nil }
            return file.offence(index, "no doc comment: \(declaration)")
        }
    }

    private static func declaration(_ line: String) -> String? {
        var text = line.drop { $0 == " " }
        while text.hasPrefix("@") { text = text.drop { $0 != " " }.drop { $0 == " " } }
        guard text.hasPrefix("package ") || text.hasPrefix("public ") else { return nil }
        let head = text.prefix { $0 != "=" && $0 != "{" && $0 != ":" }
        return Tokens(String(head)).contains(where: declarations.contains) ? String(text) : nil
    }

    private static func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
        var before = index - 1
        while before >= 0, file.lines[before].drop(while: { $0 == " " }).hasPrefix("@") { before -= 1 }
        return before >= 0 && file.lines[before].drop(while: { $0 == " " }).hasPrefix("///")
    }

    /// An initializer that does nothing but store what it was given.
    private static func isPlainInitializer(_ file: SourceFile, _ index: Int, _ declaration: String) -> Bool {
        guard Tokens(declaration).contains("init") else { return false }
        guard let body = body(file.code, from: index) else { return false }
        return body.split(separator: "\n").allSatisfy { line in
            let statement = line.drop { $0 == " " }
            if statement.isEmpty { return true }
            let sides = statement.split(separator: " ", maxSplits: 2)
            return sides.count == 3 && sides[1] == "=" && !["let", "var", "if", "guard"].contains(sides[0])
        }
    }

    /// What is between a declaration's braces; nil if it has none.
    private static func body(_ code: [String], from start: Int) -> String? {
        var (body, braces, parentheses) = ("", 0, 0)
        for line in code[start...] {
            for character in line {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{" where parentheses == 0 || braces > 0:
                    braces += 1
                    if braces == 1 { continue }
                case "}" where braces > 0:
                    braces -= 1
                    if braces == 0 { return body }
                default: break
                }
                if braces > 0 { body.append(character) }
            }
            body.append("\n")
        }
        return nil
    }
}
