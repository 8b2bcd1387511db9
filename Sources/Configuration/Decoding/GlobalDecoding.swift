extension GlobalConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        workers = reader.integer("workers", in: 0...1024, default: workers, "; 0 is one per core")
        if let (address, entry) = reader.admin() {
            admin = address
            reader.warnOfOpenAdmin(address, entry)
        }
        adminToken = reader.adminToken()
        watch = reader.flag("watch", default: watch)
        drainDelay = reader.duration("drain_delay", in: .zero ... .seconds(3_600), default: drainDelay)
        drainTimeout = reader.duration(
            "drain_timeout", in: .zero ... .seconds(7 * 86_400), default: drainTimeout,
            cannotBeOff: "a process that waits without a limit for its last stream never stops")
        secret = reader.secret()
        reader.rejectUnavailable("access_log", "state_dir")
        reader.finish()
    }
}

extension TableReader {
    /// The address of the admin pages; nil for "off", the default.
    fileprivate mutating func admin() -> (address: ListenAddress, entry: LocatedTable.Entry)? {
        var probe = self
        if let entry = probe.take("admin"), case .string("off") = entry.value.content {
            self = probe
            return nil
        }
        return listenAddress("admin")
    }

    /// Warns of admin pages that others can reach: they have no token, and name every server.
    fileprivate func warnOfOpenAdmin(_ address: ListenAddress, _ entry: LocatedTable.Entry) {
        let isLoopback = address.host == "::1" || address.host.hasPrefix("127.")
        guard !isLoopback else { return }
        findings.warn(
            entry.value.range, "\(quote(entry)) is not a loopback address",
            because:
                "the admin pages are plain HTTP without a token: whoever reaches this port reads the names and figures "
                + "of all servers, so let only your probes and monitoring reach it")
    }
}
