package import Configuration
import Discovery
package import Kernel
package import Logging
import Synchronization

/// Applies changed configurations to a running proxy, one after the other, on a thread of its own.
///
/// What cannot be read, checked or opened changes nothing. Servers that are taken out of the file go on with the sessions
/// that they have, for as long as a drain may take.
package final class Reloader: Sendable {
    /// What a reload came to.
    package enum Outcome: Sendable, Equatable {
        /// In force. What has changed, a line each; and what of it waits for the next start.
        case applied(changes: [String], deferred: [String])
        /// The file says what it said before.
        case unchanged
        /// Nothing has changed, and why.
        case rejected(String)
    }

    /// What can be asked for.
    package enum Order: Sendable {
        /// Read the file again.
        case reload
        /// Give a server, named `upstream/host:port`, no new sessions from here on, or give it some again.
        case drain(server: String, Bool)
        /// Give a server no work at all, or give it some again.
        case disable(server: String, Bool)
        /// Give a server another share of new work, 1...1000; nil: that of the configuration.
        case weigh(server: String, Int32?)
        /// Give a server no new work for so long, or end that; nil: it is over now.
        case eject(server: String, Interval?)
        /// Forget a session, named by its digest: its client is told that it is gone, and begins another one.
        case forget(session: String)
    }

    /// Reads and checks the configuration file.
    package typealias Load = @Sendable () -> Result<ConfigurationFile, ConfigurationErrors>
    private typealias Request = (order: Order, done: @Sendable (Outcome) -> Void)

    /// The proxy that it changes.
    package let proxy: ProxyServer
    private let load: Load
    private let log: Logger
    private let thread: WatchThread
    private let requests = Mutex<[Request]>([])
    private let state: Mutex<ReloadState>

    /// The reloader of `proxy`, which runs by `file`. `orders`: what operators have ordered already, and is in force.
    package init(
        _ proxy: ProxyServer, file: ConfigurationFile, log: Logger, orders: ServerOrders = ServerOrders(),
        load: @escaping Load
    ) throws(StartError) {
        self.proxy = proxy
        self.load = load
        self.log = log
        var state = ReloadState(file)
        state.orders = orders
        state.removed.note(proxy.snapshot, at: .now())
        self.state = Mutex(state)
        do throws(SystemError) {
            thread = try WatchThread(named: "reload")
        } catch {
            throw StartError("cannot start: \(error)")
        }
    }

    /// Starts the thread.
    package func start() throws(StartError) {
        proxy.discovery?.whenChanged { [weak self] in self?.followDiscovery() }
        do throws(SystemError) {
            try thread.start { [self] in work() }
        } catch {
            throw StartError("cannot start a thread: \(error)")
        }
    }

    /// Other servers are found than before: the workers get them as soon as the thread comes to it.
    private func followDiscovery() {
        state.withLock { $0.discoveryHasChanged = true }
        thread.lookNow()
    }

    /// Takes no more orders.
    package func stop() { thread.stop() }

    /// Queues an order. `done` is called on the reloader's thread with what it came to.
    package func request(_ order: Order, done: @escaping @Sendable (Outcome) -> Void = { _ in }) {
        requests.withLock { $0.append((order, done)) }
        thread.lookNow()
    }

    /// The configuration in force, and what has become of orders so far.
    package var status: ReloadStatus { state.withLock { $0.status } }

    /// Does what was asked for; looks at the file if it is watched, and at servers that are leaving.
    private func work() -> CInt {
        while let request = requests.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
            request.done(perform(request.order))
        }
        let (hasChanged, isServerDone) = state.withLock { state in
            (state.fileHasChanged(), state.removed.forgetEmpty(proxy, at: .now()))
        }
        if hasChanged { _ = perform(.reload) }
        if isServerDone { _ = apply(state.withLock { $0.status.file }, because: "servers have left") }
        if state.withLock({ $0.takeDiscoveryChange() }) { adoptDiscovered() }
        return state.withLock { $0.pause }
    }

    private func perform(_ order: Order) -> Outcome {
        let outcome =
            switch order {
            case .reload: reload()
            case .drain(let server, let isDraining): drain(server, isDraining)
            case .disable(let server, let isDisabled): disable(server, isDisabled)
            case .weigh(let server, let weight): weigh(server, weight)
            case .eject(let server, let time): eject(server, time)
            case .forget(let session): forget(session)
            }
        if case .reload = order { state.withLock { $0.note(outcome) } }
        return outcome
    }

    private func reload() -> Outcome {
        if isUnchanged {
            log.notice("the configuration was reloaded: unchanged")
            return .unchanged
        }
        let file: ConfigurationFile
        switch load() {
        case .success(let found): file = found
        case .failure(let errors):
            log.error("the configuration was not reloaded, what it was before stays:\n\(errors)")
            return .rejected("\(errors)")
        }
        for warning in file.warnings { log.warning("\(warning)") }
        let old = state.withLock { $0.status.file }
        guard file.configuration != old.configuration else {
            state.withLock { $0.status.file = file }
            log.notice("the configuration was reloaded: unchanged")
            return .unchanged
        }
        return apply(file, because: "the configuration was reloaded")
    }

    /// Whether the file has the text that it had. Then it is not parsed: TOMLKit 0.6 loses some kilobytes for each file that it
    /// parses, which is nothing for real changes, and something for a job that asks for a reload every minute.
    private var isUnchanged: Bool {
        let file = state.withLock { $0.status.file }
        guard case .success(let text) = TOMLFile.text(path: file.path) else { return false }
        return text == file.text
    }

    /// Has the workers work by a file. The old one stays in force if that fails.
    private func apply(_ file: ConfigurationFile, because reason: String) -> Outcome {
        let old = state.withLock { $0.status.file }
        let changes = ConfigurationChanges(from: old.configuration, to: file.configuration)
        do throws(StartError) {
            let secrets = try secrets(for: file.configuration, old: old.configuration)
            try adopt(file.configuration, secrets)
        } catch {
            log.error("the configuration was not reloaded, what it was before stays: \(error)")
            return .rejected("\(error)")
        }
        state.withLock { $0.status.file = file }
        for line in changes.lines { log.notice("\(reason): \(line)") }
        for line in changes.deferred { log.warning("\(line)") }
        return .applied(changes: changes.lines, deferred: changes.deferred)
    }

    /// Secrets of their own, if the configuration names others than before; nil: those in use are right.
    private func secrets(for new: Configuration, old: Configuration) throws(StartError) -> SessionSecrets? {
        let needsKeys = new.upstreams.contains { $0.session.affinity == .signed }
        let hasKeys = !(proxy.watchers.secrets?.secrets.keys.isEmpty ?? true)
        guard new.global.secret != old.global.secret || (needsKeys && !hasKeys) else { return nil }
        return try SessionSecrets(new, log: log)
    }

    /// Has the workers work by a configuration, with what operators have ordered. It is made anew even if it is the one in
    /// force: files and names may have changed since that was made. `secrets` are others than before; nil: the same.
    private func adopt(_ configuration: Configuration, _ secrets: SessionSecrets?) throws(StartError) {
        do throws(StartError) {
            var snapshot = try proxy.snapshot(of: configuration, secrets: secrets)
            state.withLock { state in
                state.removed.keep(in: &snapshot, from: proxy.snapshot, at: .now())
                snapshot.apply(state.orders)
            }
            try proxy.adopt(snapshot, secrets: secrets)
        } catch {
            // Sources that only the new configuration has are not followed.
            proxy.discovery?.settle(on: state.withLock { $0.status.file.configuration.discoveryPlans })
            throw error
        }
        proxy.discovery?.settle(on: configuration.discoveryPlans)
    }

    /// Has the workers work with the servers that are found now. What fails is tried again: until then, those before stay.
    private func adoptDiscovered() {
        guard let discovery = proxy.discovery else { return }
        let configuration = state.withLock { $0.status.file.configuration }
        do throws(StartError) {
            let found = try discovery.found(configuration.discoveryPlans, within: Interval(nanoseconds: 0))
            if found != proxy.snapshot.discovered { try adopt(configuration, nil) }
            state.withLock { $0.discoveryProblem = nil }
        } catch {
            let isNews = state.withLock { state in
                state.discoveryHasChanged = true
                defer { state.discoveryProblem = error.description }
                return state.discoveryProblem != error.description
            }
            if isNews { log.error("servers that were found are not in force yet: \(error)") }
        }
    }

    // MARK: - Orders

    private func drain(_ server: String, _ isDraining: Bool) -> Outcome {
        guard let plan = plan(of: server) else { return unknown(server) }
        if !isDraining, plan.isDraining { return .rejected("\(server) drains because the configuration says so") }
        guard plan.isOrderedToDrain != isDraining else { return .unchanged }
        let line =
            isDraining ? "\(server) drains: it keeps its sessions and gets no new ones" : "\(server) drains no more"
        return order(line) { $0.drained.set(server, isDraining) }
    }

    private func disable(_ server: String, _ isDisabled: Bool) -> Outcome {
        guard let plan = plan(of: server) else { return unknown(server) }
        guard plan.isDisabled != isDisabled else { return .unchanged }
        let line =
            isDisabled ? "\(server) is disabled: it gets no work, and its sessions are lost" : "\(server) is enabled"
        return order(line) { $0.disabled.set(server, isDisabled) }
    }

    private func weigh(_ server: String, _ weight: Int32?) -> Outcome {
        guard let plan = plan(of: server) else { return unknown(server) }
        if let weight, !(1...1_000).contains(weight) {
            return .rejected("a weight is 1 to 1000; drain is what gives a server no new sessions")
        }
        guard plan.orderedWeight != weight else { return .unchanged }
        let line =
            "\(server) has weight \(weight ?? plan.configuredWeight)\(weight == nil ? ", as the configuration says" : "")"
        return order(line) { $0.weights[server] = weight }
    }

    private func eject(_ server: String, _ time: Interval?) -> Outcome {
        guard let plan = plan(of: server) else { return unknown(server) }
        if let time, !(1...86_400_000_000_000).contains(time.nanoseconds) {
            return .rejected("a server is ejected for a day at most; disable is what keeps it out for longer")
        }
        guard proxy.eject(plan, for: time) == .changed else { return .unchanged }
        let line = time.map { "\(server) is ejected for \($0.text), by order" } ?? "\(server) is not ejected any more"
        log.notice("\(line)")
        return .applied(changes: [line], deferred: [])
    }

    private func forget(_ session: String) -> Outcome {
        switch proxy.forgetSession(session) {
        case .unknown: return .rejected("no session has the digest \(session)")
        case .ambiguous(let count): return .rejected("\(count) sessions have the digest \(session)")
        case .forgotten:
            log.notice("session \(session) is forgotten, by order")
            return .applied(
                changes: ["session \(session) is forgotten: its client has to begin another one"], deferred: [])
        }
    }

    private func plan(of server: String) -> ServerPlan? {
        let snapshot = proxy.snapshot
        return snapshot.servers.first { snapshot.path(of: $0) == server }
    }

    /// There is no such server; what may have been meant, because its upstream was left out.
    private func unknown(_ server: String) -> Outcome {
        let snapshot = proxy.snapshot
        let meant = snapshot.servers.map { snapshot.path(of: $0) }.filter { $0.hasSuffix("/" + server) }.prefix(5)
        let hint = meant.isEmpty ? "" : "; did you mean \(meant.joined(separator: " or "))?"
        return .rejected("there is no server \(server)\(hint)")
    }

    /// Has the workers work by other orders; those before stay in force if that fails.
    private func order(_ line: String, _ change: (inout ServerOrders) -> Void) -> Outcome {
        let before = state.withLock { state in
            let before = state.orders
            change(&state.orders)
            return before
        }
        do throws(StartError) {
            try adopt(state.withLock { $0.status.file.configuration }, nil)
        } catch {
            state.withLock { $0.orders = before }
            return .rejected("\(error)")
        }
        log.notice("\(line)")
        return .applied(changes: [line], deferred: [])
    }
}

extension Set<String> {
    /// Puts an element in, or takes it out.
    fileprivate mutating func set(_ element: String, _ isMember: Bool) {
        if isMember { insert(element) } else { remove(element) }
    }
}
