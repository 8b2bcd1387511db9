import ArgumentParser
import Configuration
import FoundationEssentials

/// `berth schema`
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the keys of the configuration as JSON Schema, for editors.",
        discussion: """
            Editors that know TOML complete and check with it (Even Better TOML for VS Code, taplo): write the output to a file,
            and begin berth.toml with "#:schema ./berth.schema.json". "berth check" finds more, and has the last word.
            """)

    func run() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var document = SchemaDocument(ConfigurationSchema().root)
        document.schema = "https://json-schema.org/draft/2020-12/schema"
        document.title = "Berth \(Berth.version): berth.toml"
        print(String(decoding: try encoder.encode(document), as: UTF8.self))
    }
}
