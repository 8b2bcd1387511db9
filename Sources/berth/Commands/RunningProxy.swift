import Admin
import Configuration
import Foundation
import Kernel
import Logging
import Proxy

/// A running proxy with its configuration and admin pages.
struct RunningProxy {
    let proxy: ProxyServer
    let reloader: Reloader

    init(_ file: ConfigurationFile, log: Logger) throws {
        Machine.raiseDescriptorLimit()
        let configuration = file.configuration
        let secrets = try SessionSecrets(configuration, log: log)
        var snapshot = try Snapshot(configuration, keys: secrets.keys, tickets: secrets.tickets)
        if let admin = configuration.global.admin { try snapshot.addAdminListener(admin) }
        let workers = configuration.global.workers == 0 ? Machine.availableProcessors : configuration.global.workers
        proxy = try ProxyServer(snapshot: snapshot, workers: workers, log: log, secrets: secrets)
        reloader = try Reloader(proxy, file: file, log: log) { CheckedFile.read(file.path) }
        let pages = AdminPages(proxy, changes: AdminChanges(reloader))
        try proxy.start { pages.answer($0, $1) }
        try reloader.start()
    }

    /// Prints the addresses of all listeners to standard error, one per line, for people and scripts.
    func announce() {
        for (listener, address) in zip(proxy.snapshot.listeners, proxy.addresses) {
            let scheme = listener.tls == nil ? "http" : "https"
            let line = listener.role == .admin ? "admin on http://\(address)" : "listening on \(scheme)://\(address)"
            try? FileHandle.standardError.write(contentsOf: Data("\(line)\n".utf8))
        }
    }
}
