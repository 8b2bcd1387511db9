import Admin
import Configuration
import Discovery
import FoundationEssentials
import Kernel
import Logging
import Proxy
import Telemetry

/// A running proxy with its configuration and admin pages.
struct RunningProxy {
    let proxy: ProxyServer
    let reloader: Reloader
    let upgrade: Upgrade
    let alerts: AlertWatch

    /// Starts a proxy, with what this process was given when it was started. If it takes the place of another one, that
    /// has been told when this returns.
    init(
        _ file: ConfigurationFile, log: Logger, threshold: LogThreshold? = nil,
        inheriting inheritance: Inheritance = .none
    ) throws {
        Machine.raiseDescriptorLimit()
        let configuration = file.configuration
        let secrets = try SessionSecrets(configuration, log: log)
        let state = inheritance.predecessor?.state(within: .seconds(30))
        let discovery = try ServiceDiscovery(known: state?.discoveredServers ?? [:], log: log)
        let found = try discovery.found(configuration.discoveryPlans, within: .seconds(5))
        var snapshot = try Snapshot(
            configuration, keys: secrets.keys, tickets: secrets.tickets, learned: state?.emptySessionTable,
            discovered: found)
        snapshot.append(leaving: state?.leavingServers ?? [:], configuration)
        snapshot.apply(state?.orders ?? ServerOrders())
        try snapshot.addAdminListeners(configuration.global)
        let workers = configuration.global.workers == 0 ? Machine.availableProcessors : configuration.global.workers
        proxy = try ProxyServer(
            snapshot: snapshot, workers: workers, log: log, secrets: secrets, version: Berth.version,
            inheriting: inheritance.sockets, from: state, discovery: discovery)
        upgrade = Upgrade(of: proxy, by: .ofThisProcess(CommandLine.arguments), log: log)
        reloader = try Reloader(proxy, file: file, log: log, orders: state?.orders ?? ServerOrders()) {
            CheckedFile.read(file.path)
        }
        let reloader = reloader
        alerts = try AlertWatch(
            proxy, thresholds: { AlertThresholds(reloader.status.file.configuration.alerts) },
            report: { $0.write(to: log) })
        let logs = proxy.logs
        let changes = AdminChanges(reloader, upgrade, log: threshold) { change in
            log.notice("admin: \(change.line)")
            logs.record(AuditedChange(change))
        }
        // Without an admin address nobody could see them.
        let calls: RecentCalls? =
            configuration.global.admin == nil && configuration.global.adminSocket == nil
            ? nil : RecentCalls(slowFrom: configuration.global.slowLog.map { Interval($0.over) } ?? .seconds(1))
        if let calls { try proxy.calls.add(calls) }
        let sources = DashboardSources(proxy, changes: changes, calls: calls, version: Berth.version, alerts: alerts)
        let pages = AdminPages(
            proxy, changes: changes, upgrade: upgrade, version: Berth.version, alerts: alerts,
            dashboard: Dashboard(sources))
        try proxy.start { pages.answer($0, $1) }
        try reloader.start()
        try alerts.start()
        takeOver(inheritance, state, log)
    }

    /// Closes the inherited sockets that no listener claimed, and tells the process before that this one accepts.
    private func takeOver(_ inheritance: Inheritance, _ state: HandoverState?, _ log: Logger) {
        let unclaimed = proxy.unclaimedSockets
        for descriptor in unclaimed {
            let address = Socket.localAddress(descriptor).map { "\($0)" } ?? "a socket"
            log.notice("\(address) was handed to this process and is no listener of the configuration: closed")
            Socket.close(descriptor)
        }
        guard let predecessor = inheritance.predecessor, let state else { return }
        if !state.isComplete { log.warning("the process before did not say all that it knew") }
        predecessor.reportReady(unused: unclaimed)
        predecessor.follow(into: proxy, state, log: log)
    }

    /// `[global]` of the configuration in force.
    var global: GlobalConfiguration { reloader.status.file.configuration.global }

    /// Prints the addresses of all listeners to standard error, one per line, for people and scripts.
    func announce() {
        for (listener, address) in zip(proxy.snapshot.listeners, proxy.addresses) {
            let scheme = listener.tls == nil ? "http" : "https"
            let place = listener.socketPath.map { "unix:\($0)" } ?? "http://\(address)"
            let line = listener.role == .admin ? "admin on \(place)" : "listening on \(scheme)://\(address)"
            StandardStream.error.say(line)
        }
    }
}

extension Alert {
    /// Says in the log of the process that it fires, or does no more.
    fileprivate func write(to log: Logger) {
        switch state {
        case .firing: log.warning("alert \(rule.rawValue): \(message)")
        case .resolved: log.notice("alert \(rule.rawValue) is resolved; it was: \(message)")
        case .pending: break
        }
    }
}
