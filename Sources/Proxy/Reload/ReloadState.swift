import Configuration
import Kernel

/// What a reloader keeps from one order to the next.
struct ReloadState {
    var status: ReloadStatus
    /// What operators have ordered since the start.
    var orders = ServerOrders()
    var removed = RemovedServers()
    /// Other servers may be found than those in force. What changed before anybody was told is among it.
    var discoveryHasChanged = true
    /// Why they could not be brought into force.
    var discoveryProblem: String?
    /// The version of the file that was looked at last, and the one before that is not read yet: an editor may still be writing.
    private var stamp: FileStamp?
    private var fresh: FileStamp?

    init(_ file: ConfigurationFile) {
        status = ReloadStatus(file)
        stamp = FileStamp(file.path)
    }

    /// Milliseconds until there is something to look at; -1: there is nothing.
    var pause: CInt {
        status.file.configuration.global.watch || !removed.isEmpty || discoveryHasChanged ? 500 : -1
    }

    /// Whether discovery has changed something since the last call.
    mutating func takeDiscoveryChange() -> Bool {
        defer { discoveryHasChanged = false }
        return discoveryHasChanged
    }

    /// Whether a watched file has another version than at the last look but one, and the same as at the last.
    mutating func fileHasChanged() -> Bool {
        guard status.file.configuration.global.watch, let found = FileStamp(status.file.path) else { return false }
        defer { fresh = found }
        guard found != stamp, found == fresh else { return false }
        stamp = found
        return true
    }

    mutating func note(_ outcome: Reloader.Outcome) {
        switch outcome {
        case .applied:
            status.applied += 1
            status.loadedAt = WallClock.seconds()
            status.lastError = nil
        case .unchanged:
            status.unchanged += 1
            status.lastError = nil
        case .rejected(let reason):
            status.rejected += 1
            status.lastError = reason
        }
    }
}
