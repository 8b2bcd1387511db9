/// Where several Berths keep what they share.
extension TableReader {
    /// Reads `store`, `store_ca` and `store_wait`; nil if there is no store, or none that can be used, which is reported.
    /// `orMemory`: "memory" says that there is none.
    mutating func store(orMemory allowsMemory: Bool = false) -> StoreConfiguration? {
        note("store", .text)
        var entry = take("store")
        if allowsMemory, case .string("memory") = entry?.value.content { entry = nil }
        let authorities = text("store_ca")
        let waitEntry = self.entry("store_wait")
        let wait = duration(
            "store_wait", in: .milliseconds(1) ... .seconds(5), default: StoreConfiguration(host: "").wait,
            cannotBeOff: "a store that does not answer would hold calls up for ever")
        guard let entry else {
            for other in [authorities?.entry, waitEntry].compactMap({ $0 }) {
                findings.report(
                    other.key, "\(other.name) without a store", because: "it says how the store is used",
                    help: "store = \"redis://redis:6379\"")
            }
            return nil
        }
        guard var store = store(entry) else { return nil }
        store.wait = wait
        store.authorities = authorities.map { FilePath.resolve($0.value, besides: findings.source.file) }
        if let entry = authorities?.entry { checkStoreAuthorities(store, entry) }
        return store
    }

    private func checkStoreAuthorities(_ store: StoreConfiguration, _ entry: LocatedTable.Entry) {
        guard store.isSecure else {
            findings.report(
                entry.key, "store_ca beside redis://", because: "it is not verified what is not spoken with over TLS",
                help: "rediss:// speaks TLS")
            return
        }
        guard let path = store.authorities, findings.checks.files else { return }
        if let problem = FilePath.problem(reading: path) ?? findings.checks.authoritiesProblem(path) {
            findings.report(entry.value.range, "these authorities cannot be used", because: "\(path): \(problem)")
        }
    }

    private func store(_ entry: LocatedTable.Entry) -> StoreConfiguration? {
        guard case .string(let written) = entry.value.content, !written.isEmpty else {
            findings.report(
                entry.value.range, "\(quote(entry)) is \(entry.value.kind), not a store", because: Self.storeForm)
            return nil
        }
        guard let text = expanded(written, entry) else { return nil }
        let url: StoreURL
        do throws(StoreURL.ParseError) {
            url = try StoreURL(text)
        } catch {
            report(error, entry, isSecret: written.contains("@"))
            return nil
        }
        // Neither the message nor an excerpt may contain the password, since errors are logged.
        if url.password != nil, !Self.namesPassword(written) {
            reportHidden(
                entry, "the password of store stands in the file itself",
                "it comes from a variable of the environment, so that the configuration itself can be shown to anyone",
                help:
                    "store = \"redis://${REDIS_PASSWORD}@host\" with \"user:password\" in it, or \":${REDIS_PASSWORD}@\""
            )
            return nil
        }
        var store = StoreConfiguration(host: url.host)
        store.port = url.port
        store.isSecure = url.isSecure
        store.user = url.user
        store.password = url.password
        store.database = url.database
        store.written = written
        return store
    }

    /// Whether what stands before the host in the file names a variable for the password.
    private static func namesPassword(_ written: String) -> Bool {
        guard let at = written.lastIndex(of: "@") else { return true }
        let credentials = written[..<at]
        let password =
            credentials.lastIndex(of: ":").map { credentials[credentials.index(after: $0)...] } ?? credentials
        return password.hasSuffix("}") && (password.hasPrefix("${") || password.hasPrefix("//${"))
    }

    private static var storeForm: String {
        "a store is redis://host:port/database, or rediss:// for TLS, with user:${PASSWORD}@ before the host if it wants that"
    }

    private func report(_ error: StoreURL.ParseError, _ entry: LocatedTable.Entry, isSecret: Bool) {
        var help: String?
        let problem: String
        switch error {
        case .noScheme:
            problem = "is not a URL"
            help = isSecret ? nil : "store = \"redis://\(Self.storeText(entry))\""
        case .scheme(let scheme):
            problem = "is not a store that Berth speaks with"
            if scheme.hasPrefix("valkey") { help = "Valkey speaks the same: redis:// or rediss://" }
            if scheme.contains("sentinel") {
                help = "give the name that follows the primary, such as that of a service"
            }
            if scheme.contains("unix") { help = "let it listen on a loopback address" }
        case .noHost: problem = "names no host"
        case .badHost: problem = "has a host that is no name and no address"
        case .badPort: problem = "has a port that is none"
        case .badDatabase: problem = "has a database that is no number from 0 to 65535"
        case .extra: problem = "has something behind the database"
        case .badEscape: problem = "has a user or a password with a percent sign that stands for nothing"
        }
        if isSecret {
            reportHidden(entry, "the URL of store \(problem)", Self.storeForm, help: help)
        } else {
            findings.report(entry.value.range, "\(quote(entry)) \(problem)", because: Self.storeForm, help: help)
        }
    }

    private static func storeText(_ entry: LocatedTable.Entry) -> String {
        if case .string(let text) = entry.value.content { text } else { "" }
    }
}
