import Kernel
import Logging
import Reactor
import Telemetry

/// What looks at files and names while a proxy runs, and tells its workers what has changed.
struct Watchers: Sendable {
    let certificates: CertificateWatcher
    let names: NameWatcher
    let memory: MemoryWatcher
    /// How names are looked up.
    let lookup: NameLookup
    /// Nil if the proxy was started with keys that nothing renews.
    let secrets: SecretWatcher?
    /// Keys of issuers and of callers.
    let keys: KeyWatcher

    /// Watches what a registered snapshot and its secrets were made of. Of `workers`' mailboxes the control thread's comes
    /// last.
    init(
        _ snapshot: Snapshot, workers: [Mailbox<WorkerMessage>], secrets: SessionSecrets?, names: NameLookup,
        certificates counts: CertificateCounts, metrics: MetricsWriter, log: Logger
    ) throws(SystemError) {
        memory = try MemoryWatcher(snapshot.memoryLimit, metrics: metrics, log: log)
        let traffic = workers.dropLast()
        lookup = names
        certificates = try CertificateWatcher(snapshot, counts: counts, log: log) { message in
            // Health checks speak TLS to servers, and the control thread makes them.
            let readers = if case .certificates = message { traffic } else { workers[...] }
            return readers.reduce(.delivered) { $1.post(message) ? $0 : .incomplete }
        }
        self.names = try NameWatcher(snapshot, names: names, log: log) { message in
            workers.reduce(true) { $1.post(message) && $0 }
        }
        keys = try KeyWatcher(snapshot, log: log)
        self.secrets = try secrets.map { (secrets) throws(SystemError) in
            try SecretWatcher(secrets, log: log) { keys in
                traffic.reduce(true) { $1.post(.keys(keys)) && $0 }
            }
        }
    }

    func start() throws(SystemError) {
        try certificates.start()
        try secrets?.start()
        try names.start()
        try keys.start()
        try memory.start()
    }

    func stop() {
        certificates.stop()
        secrets?.stop()
        names.stop()
        keys.stop()
        memory.stop()
    }

    /// Says nothing more about the files and names of the present snapshot: what it says could reach workers after the next.
    func pause() {
        certificates.pause()
        names.pause()
    }

    /// Watches the files and names of the snapshot that workers have been given.
    func resume(with snapshot: Snapshot) throws(SystemError) {
        try certificates.resume(with: snapshot)
        try names.resume(with: snapshot)
        try keys.resume(with: snapshot)
        try memory.resume(with: snapshot.memoryLimit)
    }
}
