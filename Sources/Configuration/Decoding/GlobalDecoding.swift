extension GlobalConfiguration {
    init(from reader: consuming TableReader) {
        self.init()
        workers = reader.integer("workers", in: 0...1024, default: workers, "; 0 is one per core")
        let addresses = reader.adminAddresses()
        admin = addresses.tcp
        adminSocket = addresses.socket
        adminHosts = reader.adminHosts()
        adminToken = reader.adminToken()
        watch = reader.flag("watch", default: watch)
        drainDelay = reader.duration("drain_delay", in: .zero ... .seconds(3_600), default: drainDelay)
        drainTimeout = reader.duration(
            "drain_timeout", in: .zero ... .seconds(7 * 86_400), default: drainTimeout,
            cannotBeOff: "a process that waits without a limit for its last stream never stops")
        upgradeTimeout = reader.duration(
            "upgrade_timeout", in: .seconds(1) ... .seconds(3_600), default: upgradeTimeout,
            cannotBeOff: "a new process that hangs would keep every later upgrade from beginning")
        memoryLimit = reader.sizeIfThere(
            "memory_limit", in: (64 << 20)...(1 << 40), ": a process at rest has some tens of MiB")
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
    /// The path of the file for the process id; a relative one is relative to the folder of the configuration.
    fileprivate mutating func pidFile() -> String? {
        note("pid_file", .text)
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
}
