import Configuration
import Load

/// A file of runs, which are performed one after the other and shown side by side.
struct Scenario: Equatable {
    /// Title of the report; may be empty.
    var name: String
    /// At least one.
    var runs: [LoadPlan]

    /// Reads the file at `path`. `url` overrides all URLs of the file. The failure has all errors of the file.
    static func load(path: String, url: Target? = nil) -> Result<Scenario, ConfigurationErrors> {
        switch TOMLFile.text(path: path) {
        case .success(let text): parse(text, file: path, url: url)
        case .failure(let errors): .failure(errors)
        }
    }

    /// Decodes `text` as the contents of `file`.
    static func parse(_ text: String, file: String, url: Target? = nil) -> Result<Scenario, ConfigurationErrors> {
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        return TOMLFile.decode(text, file: file, checks: checks) { root in Scenario(from: root, url: url) }
    }

    private init(from root: TableReader, url: Target?) {
        var root = root
        name = root.text("name")?.value ?? ""
        let hasURL = url != nil || root.has("url")
        let shared = url ?? root.target("url")
        root.markHandled("url")
        let defaults = root.table("defaults")
        LoadPlan.check(defaults: defaults)
        let tables = root.tables("run", inheriting: defaults)
        if tables.isEmpty, !root.has("run") {
            root.report(
                nil, "there is no [[run]] table", because: "a scenario is a list of runs",
                help: "add [[run]] and below it workload = \"sessions\"")
        }
        runs = tables.map { table in
            if !hasURL, !table.has("url") {
                root.report(
                    table.range, "this run has no url", because: "nothing says where the server is",
                    help: "set url = \"http://127.0.0.1:8080/mcp\" at the top of the file, or use --url")
            }
            return LoadPlan(from: table, url: url, else: shared)
        }
        root.finish()
        reportDuplicateNames(tables, to: root)
    }

    /// Reports runs with the same name, which would be indistinguishable in a table.
    private func reportDuplicateNames(_ tables: [TableReader], to root: TableReader) {
        for (index, run) in runs.enumerated() where !run.name.isEmpty {
            guard runs[..<index].contains(where: { $0.name == run.name }) else { continue }
            root.report(
                tables[index].range, "a second run of the name \"\(run.name)\"",
                because: "the runs of a scenario stand side by side under their names", help: "give it another name")
        }
    }
}
