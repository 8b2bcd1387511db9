import Configuration
import Foundation
import Testing

@Suite("Files in configs/")
struct SampleFilesTests {
    static var names: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: TestFiles.configs)) ?? []
        return all.filter { $0.hasSuffix(".toml") }.sorted()
    }

    private func load(_ name: String) throws -> ConfigurationFile {
        try ConfigurationFile.load(path: "\(TestFiles.configs)/\(name)", checks: .none).get()
    }

    @Test("The four files exist")
    func presence() {
        #expect(Set(Self.names).isSuperset(of: ["minimal.toml", "sse.toml", "streamable-http.toml", "full.toml"]))
    }

    @Test("Each file decodes", arguments: names)
    func decodes(_ name: String) throws {
        #expect(throws: Never.self) { try load(name) }
    }

    @Test("The effective text of each file decodes to the same configuration", arguments: names)
    func effectiveText(_ name: String) throws {
        let file = try load(name)

        let again = try ConfigurationFile.parse(file.effectiveText(), file: "effective.toml", checks: .none).get()

        #expect(again.configuration == file.configuration)
    }

    @Test("minimal.toml has eight lines and all defaults")
    func minimal() throws {
        let text = try String(contentsOfFile: "\(TestFiles.configs)/minimal.toml", encoding: .utf8)
        let configuration = try load("minimal.toml").configuration

        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().count == 8)
        var listener = ListenerConfiguration(
            address: ListenAddress(host: "", port: 443),
            security: .tls(ListenerTLS(certificate: "/etc/berth/mcp.pem", key: "/etc/berth/mcp.key")))
        listener.maximumConnections = 100_000
        let servers = (1...3).map { ServerConfiguration(address: ServerAddress(host: "mcp-\($0)", port: 3001)) }
        #expect(
            configuration
                == Configuration(
                    global: GlobalConfiguration(), listeners: [listener],
                    routes: [RouteConfiguration(host: nil, path: .any, upstream: 0)],
                    upstreams: [UpstreamConfiguration(name: "mcp", servers: servers)]))
    }

    @Test("full.toml has exactly the keys that decoding knows")
    func everyKey() throws {
        let text = try String(contentsOfFile: "\(TestFiles.configs)/full.toml", encoding: .utf8)
        let file = try load("full.toml")

        // The keys of [defaults] are those of an upstream.
        let asked = Set(
            file.knownKeys.map { $0.hasPrefix("defaults.") ? "upstream.*" + $0.dropFirst("defaults".count) : $0 })
        let written = KeysByEye.keys(in: text)

        #expect(asked.subtracting(written).sorted() == [], "asked for, but not in full.toml")
        #expect(written.subtracting(asked).sorted() == [], "in full.toml, but not asked for")
        #expect(written.count >= 60)
    }
}

/// Finds the keys of full.toml line by line, independently of the code under test.
private enum KeysByEye {
    static func keys(in text: String) -> Set<String> {
        var table = ""
        var keys: Set<String> = []
        for line in text.split(separator: "\n") {
            let code = line.prefix { $0 != "#" }.filter { $0 != " " }
            if code.hasPrefix("[") {
                table = pattern(code.filter { $0 != "[" && $0 != "]" })
                keys.formUnion(ancestors(of: table))
            } else if code.hasPrefix("{") {
                keys.formUnion(inner(String(code), under: "upstream.*.servers.*"))
            } else if let equals = code.firstIndex(of: "=") {
                let key = "\(table).\(code[..<equals])"
                keys.insert(key)
                keys.formUnion(inner(String(code[equals...]), under: key))
            }
        }
        return Set(keys.map { $0.hasPrefix("defaults.") ? "upstream.*" + $0.dropFirst("defaults".count) : $0 })
    }

    /// The keys of an inline table in a part of a line.
    private static func inner(_ code: String, under prefix: String) -> [String] {
        guard let brace = code.firstIndex(of: "{") else { return [] }
        if prefix.hasSuffix(".tools") { return ["\(prefix).*"] }
        let prefix = prefix.hasSuffix(".rate_limit") ? "\(prefix).*" : prefix
        return code[brace...].filter { $0 != "{" && $0 != "}" }.split(separator: ",").compactMap { part in
            part.firstIndex(of: "=").map { equals in
                let isRule = prefix == "route.*.auth" && ["scope", "allow", "deny"].contains(part[..<equals])
                return "\(prefix)\(isRule ? ".tools.*" : "").\(part[..<equals])"
            }
        }
    }

    private static func pattern(_ header: String) -> String {
        var parts = header.split(separator: ".").map(String.init)
        if parts[0] == "upstream", parts.count > 1 { parts[1] = "*" }
        if parts == ["listen", "certificate"] { parts.append("*") }
        if parts[0] == "listen" || parts[0] == "route" { parts.insert("*", at: 1) }
        return parts.joined(separator: ".")
    }

    private static func ancestors(of pattern: String) -> [String] {
        let parts = pattern.split(separator: ".")
        return (1...parts.count).map { parts[..<$0].joined(separator: ".") }.filter { !$0.hasSuffix("*") }
    }
}
