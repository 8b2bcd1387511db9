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
        upgradeTimeout = reader.duration(
            "upgrade_timeout", in: .seconds(1) ... .seconds(3_600), default: upgradeTimeout,
            cannotBeOff: "a new process that hangs would keep every later upgrade from beginning")
        pidFile = reader.pidFile()
        secret = reader.secret()
        accessLog = reader.accessLog()
        slowLog = reader.slowLog()
        auditLog = reader.auditLog()
        trace = TraceConfiguration(from: reader.table("trace"))
        reader.rejectUnavailable("state_dir")
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

    /// The path of the file for the process id; a relative one is relative to the folder of the configuration.
    fileprivate mutating func pidFile() -> String? {
        guard let entry = take("pid_file") else { return nil }
        guard case .string(let written) = entry.value.content, !written.isEmpty else {
            findings.report(
                entry.value.range, "\(quote(entry)) names no file",
                because: "the process id is written to the file with this path, such as \"/run/berth/berth.pid\"")
            return nil
        }
        let path = FilePath.resolve(written, besides: findings.source.file)
        if findings.checks.files, !FilePath.canWrite(in: FilePath.folder(of: path)) {
            findings.report(
                entry.value.range, "\(path) cannot be written",
                because: "this process cannot write to the folder \(FilePath.folder(of: path))",
                help: "make the folder and give it to the user that runs Berth")
        }
        return path
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
