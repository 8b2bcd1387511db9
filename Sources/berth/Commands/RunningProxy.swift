import Admin
import Configuration
import Foundation
import Kernel
import Logging
import Proxy

/// A running proxy with its configuration and admin pages.
struct RunningProxy {
    let proxy: ProxyServer
    let configuration: Configuration

    init(_ configuration: Configuration, log: Logger) throws {
        Machine.raiseDescriptorLimit()
        self.configuration = configuration
        var snapshot = try Snapshot(configuration, keys: try RunningProxy.keys(configuration, log: log))
        if let admin = configuration.global.admin { try snapshot.addAdminListener(admin) }
        let workers = configuration.global.workers == 0 ? Machine.availableProcessors : configuration.global.workers
        proxy = try ProxyServer(snapshot: snapshot, workers: workers, log: log)
        let pages = AdminPages(proxy)
        try proxy.start { pages.answer($0) }
    }

    private static func keys(_ configuration: Configuration, log: Logger) throws -> [SigningKey] {
        switch configuration.global.secret {
        case .file(let path): return try KeyFile.load(path)
        case .key(let key): return [SigningKey(key)]
        case nil: break
        }
        guard configuration.upstreams.contains(where: { $0.session.affinity == .signed }) else { return [] }
        do {
            return try KeyFile.load(KeyFile.defaultPath)
        } catch {
            log.warning(
                "\(error); session ids are signed with a temporary key and become invalid when this process ends")
            return [SigningKey(Machine.randomBytes(SigningKey.bytes))]
        }
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
