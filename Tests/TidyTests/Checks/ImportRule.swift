/// Which of our modules may import which: one way only, from what is started to what calls the kernel.
enum ImportRule {
    /// By module, what it may import of ours. A module that is not here may not exist.
    static let allowed: [String: Set<String>] = [
        "CLinux": [], "COpenSSL": [], "CNghttp2": [], "CISAL": [],
        "ASCII": [],
        "JSON": ["ASCII"],
        "Kernel": ["CLinux"],
        "Reactor": ["Kernel"],
        "TLSRecords": ["COpenSSL", "Reactor"],
        "TLS": ["TLSRecords", "ASCII", "COpenSSL", "Reactor", "Kernel"],
        "HTTP": ["ASCII", "CNghttp2", "Reactor", "Kernel"],
        "MCP": ["ASCII", "JSON"],
        "Balancing": [],
        "Caching": ["MCP", "JSON", "ASCII", "Kernel"],
        "RateLimiting": ["ASCII", "Kernel"],
        "Redis": ["ASCII", "Kernel"],
        "Tokens": ["ASCII", "JSON"],
        "Configuration": [],
        "Import": ["Configuration"],
        "Discovery": ["JSON", "ASCII", "Kernel"],
        "Telemetry": ["MCP", "Reactor", "JSON", "ASCII", "Kernel"],
        "Proxy": [
            "TLS", "HTTP", "MCP", "Balancing", "Caching", "Configuration", "Discovery", "RateLimiting", "Redis",
            "Telemetry",
            "Tokens",
            "Reactor", "JSON", "ASCII", "Kernel",
        ],
        "DashboardPage": ["COpenSSL"],
        "Admin": [
            "Proxy", "DashboardPage", "HTTP", "MCP", "Balancing", "Caching", "Configuration", "Discovery", "Redis",
            "Telemetry", "Reactor", "JSON", "ASCII", "Kernel", "CISAL",
        ],
        "SampleServer": ["HTTP", "MCP", "Reactor", "JSON", "ASCII", "Kernel"],
        "Load": ["TLS", "HTTP", "MCP", "Reactor", "JSON", "ASCII", "Kernel"],
        "LoadReport": ["Load", "JSON"],
        "Prove": ["Load", "LoadReport", "SampleServer", "TLS", "JSON", "Kernel"],
        "berth": [
            "Admin", "Import", "SampleServer", "Prove", "Load", "LoadReport", "Proxy", "TLS", "HTTP", "MCP",
            "Configuration", "Discovery", "Telemetry", "Reactor", "JSON", "ASCII", "Kernel",
        ],
        "berth-load": [
            "Load", "LoadReport", "SampleServer", "TLS", "HTTP", "Configuration", "Reactor", "JSON", "Kernel",
        ],
        "FleetSimulation": ["Balancing"],
        "berth-fleet": ["FleetSimulation"],
        // Of tests: no module of Sources may import them.
        "TestSupport": ["Kernel"],
        "TestIssuer": [],
        "Simulation": ["TestSupport", "Reactor", "Kernel"],
    ]

    static func offences(_ files: [SourceFile], allowed: [String: Set<String>] = allowed) -> [Offence] {
        files.flatMap { file -> [Offence] in
            guard let module = file.module else { return [] }
            guard let mayImport = allowed[module] else {
                return [file.offence(0, "module \(module) is not in the table")]
            }
            return imports(of: file).filter { allowed[$0.module] != nil && !mayImport.contains($0.module) }
                .map { file.offence($0.line, "\(module) may not import \($0.module)") }
        }
    }

    private static let modifiers: Set<String> = ["package", "public", "internal", "private", "fileprivate"]
    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

    /// The modules that a file imports, by index of the line.
    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        file.code.enumerated().compactMap { index, line in
            guard line.contains("import") else { return nil }
            var words = line.split(separator: " ").drop { $0.hasPrefix("@") || modifiers.contains(String($0)) }
            guard words.popFirst() == "import" else { return nil }
            if let kind = words.first, kinds.contains(String(kind)) { words.removeFirst() }
            return words.first.map { (String($0.prefix { $0 != "." }), index) }
        }
    }
}
