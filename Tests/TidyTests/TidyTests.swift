import Testing

/// Holds the tree to its own rules. Each rule is a test with the places that break it, and has another in
/// `CheckerTests` that shows on a small text that it can fail.
@Suite("Tidy")
struct TidyTests {
    private let tree = SourceTree.shared

    /// The modules that every byte goes through.
    private static let dataPath = ["ASCII", "Kernel", "Reactor", "JSON", "HTTP", "MCP", "Balancing", "Telemetry"]
        .map { "Sources/\($0)" }

    private func expectNone(_ offences: [Offence], sourceLocation: SourceLocation = #_sourceLocation) {
        guard !offences.isEmpty else { return }
        Issue.record("\(offences.list)", sourceLocation: sourceLocation)
    }

    @Test("the tree is read: every folder has its files")
    func isRead() {
        #expect(tree.sources.count > 200)
        #expect(tree.swift.count > tree.sources.count + 100)
        #expect(tree["README.md"] != nil)
        #expect(tree["configs/full.toml"] != nil)
        #expect(tree["Sources/Proxy/Proxy.docc/Invariants.md"] != nil)
    }

    @Test("no file is longer than 400 lines")
    func fileLengths() { expectNone(LengthRule.longFiles(tree.swift)) }

    @Test("no function is longer than 70 lines")
    func functionLengths() { expectNone(LengthRule.longFunctions(tree.swift)) }

    @Test("imports go one way")
    func imports() { expectNone(ImportRule.offences(tree.sources)) }

    @Test("names and prose use the field's words")
    func vocabulary() { expectNone(VocabularyRule().offences(tree.prose)) }

    @Test("a type with owners is extended by them only", arguments: OwnershipRule.rules.indices)
    func ownership(_ rule: Int) { expectNone(OwnershipRule.rules[rule].offences(tree.swift)) }

    @Test("what other modules may use has a doc comment")
    func documentation() { expectNone(DocumentationRule.offences(tree.sources)) }

    @Test("error numbers have names outside the kernel's module")
    func errorNumbers() { expectNone(ErrnoRule.offences(tree.sources.filter { !$0.isUnder(["Sources/Kernel"]) })) }

    @Test("unsafe code stays in the modules that own raw memory")
    func unsafeCode() {
        let homes = ["Kernel", "TLS", "TLSRecords", "HTTP/HTTP2", "Reactor", "Telemetry"].map { "Sources/\($0)" }
        expectNone(WordRule.unsafe.offences(tree.sources.filter { !$0.isUnder(homes) }))
    }

    @Test("the data path prints nothing")
    func printing() {
        expectNone(WordRule.print.offences(tree.sources.filter { $0.isUnder(Self.dataPath + ["Sources/Proxy"]) }))
    }

    @Test("no test fails because others keep the machine busy")
    func timeLimits() { expectNone(TimeLimitRule.offences(tree.swift)) }

    @Test("processes are started without a list of the open descriptors")
    func processes() { expectNone(ProcessRule.offences(tree.swift)) }

    @Test("the data path does without Foundation")
    func foundation() {
        // Read and written before the first connection, and on a thread of its own.
        let atStart = ["KeyFile", "SecretFile", "TicketFile"].map { "Sources/Proxy/Sessions/\($0).swift" }
        expectNone(
            WordRule.foundation(
                tree.sources.filter { $0.isUnder(Self.dataPath + ["Sources/Proxy"]) && !$0.isUnder(atStart) }))
    }

    @Test("berth does with the essentials of Foundation, and so without its ICU")
    func essentials() {
        let others = ["Sources/berth-load", "Sources/berth-fleet"]
        let imports = WordRule.foundation(tree.sources.filter { !$0.isUnder(others) })
        expectNone(imports.filter { !$0.description.contains("FoundationEssentials") })
    }

    @Test("no notes to oneself, no pointers to what a reader does not have")
    func looseEnds() { expectNone(LooseEndRule.offences(tree.prose)) }

    @Test("README's map names every module and the folders of the proxy")
    func map() throws {
        let readme = try #require(tree["README.md"])
        expectNone(MapRule.offences(readme: readme, sources: tree.files))
    }
}
