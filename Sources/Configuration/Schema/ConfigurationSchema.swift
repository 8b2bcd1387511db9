/// The keys of a configuration file with their shapes, as a tree: what the decoder itself looks for, so that both agree.
package struct ConfigurationSchema: Sendable, Equatable {
    /// A key; the root is the file.
    package struct Key: Sendable, Equatable {
        /// What its value may be; none: the decoder says nothing of it.
        package var shapes: [KeyShape] = []
        /// The keys of its table, by name.
        package var keys: [String: Key] = [:]
        /// Each entry of its list, or each table under it whose name the operator chooses.
        package var element: [Key] = []
    }

    /// The file.
    package let root: Key

    /// The schema of this version.
    package init() {
        var shapes: [String: [KeyShape]] = [:]
        let checks = ConfigurationChecks(files: false, environment: { _ in nil })
        _ = TOMLFile.decode(Self.sample, file: "schema.toml", checks: checks) { reader in
            var decoding = ConfigurationDecoding(reader)
            _ = decoding.run()
            for key in reader.findings.knownKeys { shapes[key] = reader.findings.shapes[key] ?? [] }
        }
        var root = Key()
        for (pattern, found) in shapes.sorted(by: { $0.key < $1.key }) {
            root.insert(found, pattern.split(separator: ".").map(String.init)[...])
        }
        self.root = root
    }

    /// Has one of each table that is a list or has a name, and the keys that are read only where they stand.
    private static let sample = """
        [listen]
        https = ":1"
        cert = "c"
        key = "k"
        forwarded_proto = "https"
        [[listen.certificate]]
        cert = "c"
        key = "k"
        [upstream.name]
        servers = [{ address = "a:1" }]
        [defaults]
        [[route]]
        path = "/1"
        upstream = "name"
        auth = { tools = [{ scope = "s" }] }
        rate_limit = [{ key = "ip", rate = "1/s" }]
        [[route]]
        respond = { status = 200 }
        """
}

extension ConfigurationSchema.Key {
    fileprivate mutating func insert(_ found: [KeyShape], _ path: ArraySlice<String>) {
        guard let name = path.first else {
            shapes = found
            return
        }
        if name == "*" {
            var inner = element.first ?? Self()
            inner.insert(found, path.dropFirst())
            element = [inner]
        } else {
            keys[name, default: Self()].insert(found, path.dropFirst())
        }
    }
}
