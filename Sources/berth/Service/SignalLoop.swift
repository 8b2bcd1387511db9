import Configuration
import FoundationEssentials
import Glibc
import Kernel
import Logging
import Proxy
import Telemetry

/// The main thread of a running Berth: it waits for signals and does what they ask for.
struct SignalLoop {
    let server: RunningProxy
    let service: ServiceManager
    let log: Logger

    /// Why a process ends.
    enum End { case stopped, replaced }

    /// Serves signals until one of them is to stop, or another process has taken the place of this one.
    func run(_ signals: borrowing Signals) -> End {
        var isUpgrading = false
        // Starting, and a reload, use much of the program that nothing needs again: it is given back a second later.
        var holdsPages = true
        while true {
            // A debugger or another signal may end a wait early.
            let signal = signals.wait(milliseconds: isUpgrading ? 20 : holdsPages ? 1_000 : -1)
            if signal == nil, holdsPages, !isUpgrading {
                Machine.releaseProgramPages()
                holdsPages = false
            }
            if isUpgrading {
                isUpgrading = noteUpgrade()
                if case .handedOver = server.upgrade.state { return .replaced }
            }
            switch signal {
            case SIGTERM, SIGINT:
                server.upgrade.abort()
                guard case .handedOver = server.upgrade.state else { return .stopped }
                _ = noteUpgrade()
                return .replaced
            case SIGHUP:
                reload()
                holdsPages = true
            case SIGUSR1: reopenLogs()
            case SIGUSR2: isUpgrading = upgrade() || isUpgrading
            default: break
            }
        }
    }

    private func reopenLogs() {
        log.notice("opening log files anew")
        server.proxy.logs.reopen()
    }

    private func reload() {
        let (service, logs) = (service, server.proxy.logs)
        service.say(.reloading(at: .now(), status: "Reloading the configuration"))
        server.reloader.request(.reload) { outcome in
            logs.record(AuditedChange(outcome, of: "SIGHUP", from: "signal"))
            if case .rejected = outcome {
                service.say(.ready(status: "Serving; the last reload was rejected"))
            } else {
                service.say(.ready(status: "Serving"))
            }
        }
    }

    /// Whether an upgrade has begun.
    private func upgrade() -> Bool {
        guard server.upgrade.start(within: Interval(server.global.upgradeTimeout)) == .started else {
            log.warning("an upgrade is under way: it is not begun again")
            return false
        }
        server.proxy.logs.record(AuditedChange(from: "signal", request: "SIGUSR2", outcome: "started"))
        service.say(.reloading(at: .now(), status: "Upgrading"))
        return true
    }

    /// Tells the service manager when an upgrade is over. Whether it still runs.
    private func noteUpgrade() -> Bool {
        switch server.upgrade.state {
        case .running: return true
        case .idle: return false
        case .handedOver(let process): service.say(.replaced(by: process, status: "Serving"))
        case .failed: service.say(.ready(status: "Serving; the last upgrade failed"))
        }
        return false
    }

    /// Drains after a signal to stop.
    func stop(_ signals: borrowing Signals) {
        server.proxy.logs.record(AuditedChange(from: "signal", request: "SIGTERM", outcome: "started"))
        service.say(.stopping(status: "Draining"))
        server.reloader.stop()
        server.proxy.announceDrain()
        let global = server.global
        if delay(global.drainDelay, signals) == .interrupted { return }
        log.notice("draining, for at most \(global.drainTimeout)")
        note(server.proxy.drain { SignalLoop.isStop(signals.wait(milliseconds: 50)) })
    }

    /// Drains after another process has taken over. That is what a signal to stop would ask for; a second one ends it at once.
    func leave(_ signals: borrowing Signals) {
        server.reloader.stop()
        log.notice("draining, for at most \(server.global.drainTimeout)")
        var stops = 0
        let result = server.proxy.drain {
            if SignalLoop.isStop(signals.wait(milliseconds: 50)) { stops += 1 }
            return stops > 1
        }
        server.upgrade.finish()
        note(result)
    }

    private func note(_ result: ProxyServer.DrainResult) {
        log.notice(result == .finished ? "drained" : "drain timeout: closed the remaining connections")
    }

    private static func isStop(_ signal: CInt?) -> Bool { signal == SIGTERM || signal == SIGINT }

    private enum DelayResult { case passed, interrupted }

    /// Waits before the listeners close; a second signal to stop ends the process.
    private func delay(_ delay: Duration, _ signals: borrowing Signals) -> DelayResult {
        guard delay > .zero else { return .passed }
        log.notice("not ready any more; listeners close in \(delay)")
        let end = ContinuousClock.now + delay
        while ContinuousClock.now < end {
            if SignalLoop.isStop(signals.wait(milliseconds: 50)) { return .interrupted }
        }
        return .passed
    }
}
