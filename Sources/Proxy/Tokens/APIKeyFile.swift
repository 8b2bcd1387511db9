import Kernel
import Synchronization
import Tokens

/// A file of callers' keys, as it was read last.
package final class APIKeyFile: Sendable {
    let path: String
    private let state = Mutex((keys: APIKeys(), stamp: FileStamp?.none, hasFailed: false))
    private let versionNumber = Atomic<UInt64>(0)

    init(_ path: String) { self.path = path }

    /// Changes with the keys.
    var version: UInt64 { versionNumber.load(ordering: .relaxed) }
    var current: APIKeys { state.withLock { $0.keys } }

    func install(_ keys: APIKeys) {
        let isNew = state.withLock { state in
            defer { state.keys = keys }
            return state.keys != keys
        }
        if isNew { versionNumber.add(1, ordering: .relaxed) }
    }

    /// Reads the file if it has changed. Returns what there is to say about it. For a thread that may wait.
    func refresh() -> String? {
        let stamp = FileStamp(path)
        let isSame = state.withLock { state in
            stamp != nil && state.stamp == stamp && stamp?.isSettled(at: Int64(WallClock.seconds())) == true
        }
        if isSame { return nil }
        do {
            let bytes = try SmallFile.read(path, limit: APIKeys.maximumBytes)
            let keys = try APIKeys(file: bytes, issuer: "file:\(path)")
            let isNew = state.withLock { state in
                let isNew = state.stamp != stamp && state.keys != keys
                (state.stamp, state.hasFailed) = (stamp, false)
                return isNew
            }
            install(keys)
            return isNew ? "\(path) has \(keys.count) keys of callers now" : nil
        } catch {
            let isFirst = state.withLock { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            return isFirst ? "the keys of callers in \(path) cannot be used, the last good ones stay: \(error)" : nil
        }
    }
}
