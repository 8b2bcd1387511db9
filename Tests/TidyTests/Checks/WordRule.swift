/// A token of code that has no place in some files.
struct WordRule {
    let word: String
    /// With it the word must be followed by this, spaces apart.
    var then: String?
    let what: String

    func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                guard line.contains(word) else { return nil }
                let tokens = Array(Tokens(line))
                let isHere = tokens.indices.contains { position in
                    guard tokens[position] == word else { return false }
                    guard let then else { return true }
                    return position + 1 < tokens.count && tokens[position + 1] == then
                }
                return isHere ? file.offence(index, what) : nil
            }
        }
    }

    static let unsafe = WordRule(word: "unsafe", what: "unsafe outside the modules that own raw memory")
    static let print = WordRule(word: "print", then: "(", what: "prints")

    /// Imports of Foundation, which is big and slow to start.
    static func foundation(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            ImportRule.imports(of: file).filter { $0.module.hasPrefix("Foundation") }
                .map { file.offence($0.line, "imports \($0.module) in the data path") }
        }
    }
}

/// Time limits of tests. A test waits for others that keep all threads busy, and its limit runs on meanwhile: minutes, in
/// a whole run on two cores. Waits inside a test look once more after their deadline, and the run as a whole has a limit.
enum TimeLimitRule {
    static func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                line.contains(".timeLimit(") ? file.offence(index, "a time limit that other tests use up") : nil
            }
        }
    }
}

/// Foundation's way to start a process. It lists the open descriptors and copies 256 bytes for each name, which reaches past
/// the end of the heap now and then once some 1,340 are open: tests with many connections ended with a signal.
enum ProcessRule {
    static func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                line.contains("Process()") && Tokens(line).contains("Process")
                    ? file.offence(index, "Foundation's Process, not TestProcess") : nil
            }
        }
    }
}

/// Numbers of errors are the kernel's: elsewhere they have names.
enum ErrnoRule {
    private static let names: Set<String> = ["errno", "code", "error", "errorCode"]

    static func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file -> [Offence] in
            var isInSwitch = false
            return file.code.enumerated().compactMap { index, line in
                let tokens = Array(Tokens(line))
                if let position = tokens.firstIndex(of: "switch") {
                    isInSwitch = tokens[position...].contains(where: names.contains)
                }
                let isCase = isInSwitch && tokens.first == "case" && tokens.count > 1 && isNumber(tokens[1])
                return isCase || compares(tokens) ? file.offence(index, "a literal error number") : nil
            }
        }
    }

    private static func isNumber(_ token: String) -> Bool { token.allSatisfy(\.isNumber) && token != "0" }

    private static func compares(_ tokens: [String]) -> Bool {
        guard tokens.count > 3 else { return false }
        return (0..<(tokens.count - 3)).contains { start in
            names.contains(tokens[start]) && (tokens[start + 1] == "=" || tokens[start + 1] == "!")
                && tokens[start + 2] == "=" && isNumber(tokens[start + 3])
        }
    }
}

/// Texts that belong in nobody's tree: notes to oneself, and pointers to what a reader does not have.
enum LooseEndRule {
    static let texts = ["TODO", "FIXME", "XXX:", "HACK:", "../shared", "/work/", "issue #"]

    static func offences(_ files: [SourceFile]) -> [Offence] {
        files.flatMap { file in
            file.lines.enumerated().flatMap { index, line in
                texts.filter(line.contains).map { file.offence(index, "says \"\($0)\"") }
            }
        }
    }
}

/// README's map names every module, and of the proxy every folder; and what it names is there.
enum MapRule {
    static func offences(readme: SourceFile, sources: [SourceFile]) -> [Offence] {
        let row = readme.lines.firstIndex { $0.hasPrefix("| `Sources/Proxy`") }
        let rowText = row.map { readme.lines[$0] } ?? ""
        var found: [Offence] = []
        let modules = Set(sources.compactMap(\.module))
        for module in modules.sorted() where !readme.lines.contains(where: { names(module, $0) }) {
            found.append(readme.offence(0, "does not name Sources/\(module)"))
        }
        for folder in folders(sources).sorted() where !rowText.contains("`\(folder)`") {
            found.append(readme.offence(row ?? 0, "does not name Sources/Proxy/\(folder)"))
        }
        let named = readme.lines.flatMap { line in
            line.split(separator: "`").filter { $0.hasPrefix("Sources/") }.compactMap {
                $0.split(separator: "/").dropFirst().first
            }
        }
        for module in Set(named.map(String.init)).subtracting(modules).sorted() {
            found.append(readme.offence(0, "names Sources/\(module), which is not there"))
        }
        return found
    }

    private static func names(_ module: String, _ line: String) -> Bool {
        line.hasPrefix("|") && (line.contains("`Sources/\(module)`") || line.contains("`\(module)`"))
    }

    private static func folders(_ sources: [SourceFile]) -> Set<String> {
        Set(
            sources.compactMap { file in
                let parts = file.path.split(separator: "/")
                guard file.module == "Proxy", parts.count > 3, !parts[2].hasSuffix(".docc") else { return nil }
                return String(parts[2])
            })
    }
}
