import Testing

/// Each rule finds what it forbids in a small text, and lets the same text pass once it is mended.
@Suite("Checkers of the tidy test")
struct CheckerTests {
    private func file(_ text: String, _ path: String = "Sources/Proxy/Example.swift") -> [SourceFile] {
        [SourceFile(path, text)]
    }

    @Test(
        "code is what is neither comment nor literal",
        arguments: [
            ("let a = 1 // unsafe {", "let a = 1            "),
            ("/* { */ x", "        x"),
            (#"f("} \" \(g("{") + h) {") {"#, #"f(       g(   ) + h    ) {"#),
            (##"let r = #"a " \(x) }"# + "" {"##, "let r =                 +    {"),
            ("\"\"\"\n  } \\(a) \" }\n\"\"\" }", "   \n      a    \n    }"),
            ("#if DEBUG", "#if DEBUG"), ("\"never ended {\n}", "             \n}"), (") {", ") {"),
        ])
    func code(_ text: String, _ expected: String) {
        let code = SwiftText.code(of: text)
        #expect(Array(code.split(separator: " ")) == Array(expected.split(separator: " ")))
        #expect(
            code.split(separator: "\n", omittingEmptySubsequences: false).count
                == text.split(separator: "\n", omittingEmptySubsequences: false).count)
    }

    @Test("a file of more lines than allowed is found")
    func fileLength() {
        #expect(LengthRule.longFiles(file("a\nb\nc\n"), limit: 3).isEmpty)
        #expect(LengthRule.longFiles(file("a\nb\nc\nd\n"), limit: 3).count == 1)
    }

    @Test("functions are measured from their name to their last brace")
    func functionLength() {
        let text = """
            protocol P {
                func requirement()
                init(_ a: Int)
            }
            struct S {
                let closure = {
                    1
                }
                func long(
                    _ body: () -> Void = { print("}") }
                ) where A: B {
                    if x { y() }
                    func inner() { z() }
                }
                init() { self = .init() }
            }
            """
        let functions = LengthRule.functions(of: file(text)[0])
        #expect(functions.map(\.name) == ["inner", "long", "init"])
        #expect(functions.map(\.lines) == [1, 6, 1])
        #expect(LengthRule.longFunctions(file(text), limit: 6).isEmpty)
        #expect(LengthRule.longFunctions(file(text), limit: 5).map(\.line) == [9])
    }

    @Test(
        "imports against the stream are found, in any form",
        arguments: [
            "import Proxy", "package import Proxy", "@testable import Proxy", "internal import struct Proxy.Worker",
            "@preconcurrency import Proxy",
        ])
    func imports(_ line: String) {
        let table: [String: Set<String>] = ["Kernel": [], "Proxy": ["Kernel"]]
        #expect(ImportRule.offences(file(line, "Sources/Kernel/A.swift"), allowed: table).count == 1)
        #expect(ImportRule.offences(file("// \(line)", "Sources/Kernel/A.swift"), allowed: table).isEmpty)
        #expect(ImportRule.offences(file("import Kernel\nimport Glibc"), allowed: table).isEmpty)
        #expect(ImportRule.offences(file("import Glibc", "Sources/New/A.swift"), allowed: table).count == 1)
    }

    @Test("the table of imports has no way back")
    func table() {
        func reaches(_ from: String, _ to: String, _ seen: Set<String> = []) -> Bool {
            guard !seen.contains(from) else { return false }
            return (ImportRule.allowed[from] ?? []).contains { $0 == to || reaches($0, to, seen.union([from])) }
        }
        #expect(reaches("berth", "Kernel"))
        for module in ImportRule.allowed.keys { #expect(!reaches(module, module), "\(module)") }
        let named = ImportRule.allowed.values.reduce(Set()) { $0.union($1) }
        #expect(named.isSubset(of: ImportRule.allowed.keys))
    }

    @Test(
        "a banned word is found wherever it is a word",
        arguments: [
            ("/// Seal it.", 1), ("let sealKey = 1", 1), ("let SEAL_KEY = 1", 1), ("sealant", 0),
            ("let mySeal2 = 1", 1),
            ("// Letter", 0), ("Letter()", 1), ("letter()", 0), ("// with dear  work", 0), ("// Dear work", 1),
            ("let tlsSEALTag = \"seal\"", 2),
        ])
    func words(_ line: String, _ count: Int) {
        let banned = [
            BannedWord(text: "seal", kind: .word, instead: "sign"),
            BannedWord(text: "Letter", kind: .name, instead: "message"),
            BannedWord(text: "dear work", kind: .phrase, instead: "deferred work"),
        ]
        #expect(VocabularyRule(banned, allowed: []).offences(file(line)).count == count)
        let allowed = ["seal", "Letter", "dear work"].map { (word: $0, path: "Sources/Proxy/", reason: "") }
        #expect(VocabularyRule(banned, allowed: allowed).offences(file(line)).isEmpty)
        #expect(VocabularyRule(banned, allowed: allowed).offences(file(line, "README.swift")).count == count)
    }

    @Test("a word that is banned in a place is free elsewhere")
    func scopes() {
        let rule = VocabularyRule(BannedWord.words("mail", "message", within: ["Sources/Proxy/"]), allowed: [])
        #expect(rule.offences(file("mail")).count == 1)
        #expect(rule.offences(file("mail", "Sources/Load/A.swift")).isEmpty)
    }

    @Test("names fall into words")
    func parts() {
        #expect(Names.parts(of: "hasHTTPRoom2_OK") == ["has", "http", "room", "ok"])
        #expect(Array(Names("a_b, cD: 4")) == ["a_b", "cD", "4"])
    }

    @Test("extensions of an owned type are found outside its owners")
    func ownership() {
        let rule = OwnershipRule(
            type: "Worker", owners: ["Sources/Proxy/Worker*.swift", "Sources/Proxy/*/Worker+*.swift"])
        let text = "extension Worker where Outside: ~Copyable {"
        #expect(rule.offences(file(text)).count == 1)
        #expect(rule.offences(file(text, "Sources/Proxy/Worker.swift")).isEmpty)
        #expect(rule.offences(file(text, "Sources/Proxy/Exchange/Worker+Ending.swift")).isEmpty)
        #expect(rule.offences(file(text, "Sources/Proxy/Exchange/Ending.swift")).count == 1)
        #expect(rule.offences(file("extension WorkerMessage {")).isEmpty)
        let real = OwnershipRule.rules[0]
        #expect(real.offences(file(text, "Sources/Proxy/RequestPhases.swift")).isEmpty)
        #expect(real.offences(file(text, "Sources/Proxy/Exchange/Worker+Retries.swift")).isEmpty)
        for path in ["WorkerParts.swift", "Loop/WorkerMessage.swift", "Control/AdminHandler.swift"] {
            #expect(real.offences(file(text, "Sources/Proxy/\(path)")).count == 1, "\(path)")
        }
        #expect(rule.offences(file("// extension Worker {")).isEmpty)
    }

    @Test(
        "a declaration without a doc comment is found",
        arguments: [
            ("package func f() {}", 1), ("/// F.\npackage func f() {}", 0), ("// F.\npackage func f() {}", 1),
            ("/// F.\n@inlinable\npackage func f() {}", 0), ("@inlinable package func f() {}", 1),
            ("    public static var a: Int { 1 }", 1), ("func f() {}", 0), ("package import Kernel", 0),
            ("package var description: String {", 0), ("package static func == (a: A, b: A) -> Bool {", 0),
            ("package init(a: Int) {\n    self.a = a\n    b = 2\n}", 0), ("package init() {}", 0),
            ("package init(a: Int) {\n    self.a = a\n    start()\n}", 1), ("package init() { let a = 1 }", 1),
            ("package extension A {", 0), ("package indirect enum A {", 1), ("package let a = \"func\"", 1),
        ])
    func documentation(_ text: String, _ count: Int) {
        #expect(DocumentationRule.undocumented(file(text)[0]).count == count)
    }

    @Test("every undocumented declaration of a module is an offence; a file of no module has none")
    func documentedModules() {
        let two = "package var a = 1\npackage var b = 1"
        #expect(DocumentationRule.offences(file(two)).count == 2)
        #expect(DocumentationRule.offences(file(two, "Tests/ProxyTests/Example.swift")).isEmpty)
    }

    @Test(
        "a literal error number is found",
        arguments: [
            ("switch code {\ncase 11, 23: 1", 1), ("if errno == 11 {", 1), ("guard error.code != 104", 1),
            ("guard code != 0", 0), ("switch name.count {\ncase 4: 1", 0), ("switch code {\ncase .again: 1", 0),
            ("let refused = code == 111", 1),
        ])
    func errorNumbers(_ text: String, _ count: Int) {
        #expect(ErrnoRule.offences(file(text)).count == count)
    }

    @Test("words of code are found as such")
    func wordsOfCode() {
        #expect(WordRule.unsafe.offences(file("let a = unsafe b")).count == 1)
        #expect(WordRule.unsafe.offences(file("let unsafely = \"unsafe\" // unsafe")).isEmpty)
        #expect(WordRule.print.offences(file("print (a)")).count == 1)
        #expect(WordRule.print.offences(file("let print = 1; log.print(a)")).isEmpty)
        #expect(TimeLimitRule.offences(file("@Suite(.timeLimit(.minutes(1)))")).count == 1)
        #expect(TimeLimitRule.offences(file("let timeLimit = 1")).isEmpty)
        #expect(ProcessRule.offences(file("let a = Process()")).count == 1)
        #expect(ProcessRule.offences(file("let a = TestProcess()")).isEmpty)
        #expect(WordRule.foundation(file("import Foundation\nimport FoundationEssentials")).count == 2)
        #expect(WordRule.foundation(file("import Glibc")).isEmpty)
    }

    @Test("loose ends are found", arguments: LooseEndRule.texts)
    func looseEnds(_ text: String) {
        #expect(LooseEndRule.offences(file("fine\n// see \(text)")).map(\.line) == [2])
        #expect(LooseEndRule.offences(file("// see the issue")).isEmpty)
    }

    @Test("a map that leaves out a folder, or names one that is gone, is found")
    func map() {
        let sources = [
            SourceFile("Sources/Proxy/Worker.swift", ""), SourceFile("Sources/Proxy/Exchange/A.swift", ""),
            SourceFile("Sources/Proxy/Proxy.docc/A.md", ""), SourceFile("Sources/Kernel/A.swift", ""),
        ]
        func count(_ rows: String) -> Int {
            MapRule.offences(readme: SourceFile("README.md", rows), sources: sources).count
        }
        #expect(count("| `Sources/Proxy` | `Exchange` |\n| `Sources/Kernel` | calls |") == 0)
        #expect(count("| `Sources/Proxy` | `Exchange` |\n| `Sources/C`, `Kernel` | calls |") == 1)
        #expect(count("| `Sources/Proxy` | `Exchange` |") == 1)
        #expect(count("| `Sources/Proxy` | the worker |\n| `Sources/Kernel` | calls |") == 1)
        #expect(count("nothing") == 3)
    }
}
