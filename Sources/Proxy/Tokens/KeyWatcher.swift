import Configuration
import Dispatch
import Kernel
import Logging
import Synchronization
import Tokens

/// Keeps the keys of issuers and of callers up to date, on a thread of its own: a file system or an issuer that hangs delays no
/// request.
final class KeyWatcher: Sendable {
    private struct State {
        var auths: [RouteAuth] = []
        var verifier: TokenVerifier?
    }

    private let state: Mutex<State>
    private let thread: WatchThread
    private let log: Logger

    /// Milliseconds between two looks at what is due.
    private static var pause: CInt { 1_000 }

    init(_ snapshot: Snapshot, log: Logger) throws(SystemError) {
        state = Mutex(State(auths: snapshot.auths, verifier: snapshot.verifier))
        thread = try WatchThread(named: "issuer keys")
        self.log = log
    }

    /// Starts to look, if there is anything to look at.
    func start() throws(SystemError) {
        let (isNeeded, verifier) = state.withLock { (!$0.auths.isEmpty, $0.verifier) }
        guard isNeeded else { return }
        try verifier?.start { [thread] in thread.lookNow() }
        try thread.start { [self] in
            look()
            return Self.pause
        }
    }

    func stop() {
        thread.stop()
        state.withLock { $0.verifier }?.stop()
    }

    /// Watches what another snapshot's routes ask for.
    func resume(with snapshot: Snapshot) throws(SystemError) {
        state.withLock { $0 = State(auths: snapshot.auths, verifier: snapshot.verifier) }
        try start()
        thread.lookNow()
    }

    private func look() {
        let (auths, verifier) = state.withLock { ($0.auths, $0.verifier) }
        var seen: Set<ObjectIdentifier> = []
        for auth in auths {
            if let file = auth.apiKeys, seen.insert(ObjectIdentifier(file)).inserted, let news = file.refresh() {
                log.notice("\(news)")
            }
            guard let keys = auth.keys, seen.insert(ObjectIdentifier(keys)).inserted, keys.isDue(at: .now()) else {
                continue
            }
            verifier?.resume(refresh(keys))
        }
    }

    /// Looks at a source of keys. Returns tokens that have waited for that.
    private func refresh(_ keys: IssuerKeys) -> [TokenJob] {
        do {
            switch keys.source {
            case .file(let path):
                let stamp = FileStamp(path)
                if let stamp, keys.isUnchanged(stamp, at: .now()) { return [] }
                return try install(SmallFile.read(path, limit: KeySet.maximumBytes), in: keys, stamp, path)
            case .url(let url):
                var fetcher = try KeyFetcher(try Linux())
                return try install(fetcher.fetch(url), in: keys, nil, url.text)
            }
        } catch {
            let (waiting, isFirst) = keys.noteFailure(at: .now())
            if isFirst {
                log.warning("the keys of \(keys.source.text) cannot be read, the last good ones stay: \(error)")
            }
            return waiting
        }
    }

    private func install(
        _ document: [UInt8], in keys: IssuerKeys, _ stamp: FileStamp?, _ name: String
    ) throws -> [TokenJob] {
        let set = try KeyWatcher.keys(of: document).get()
        let (waiting, isNew) = keys.install(set, from: document, stamp: stamp, at: .now())
        if isNew {
            let rest = set.skipped == 0 ? "" : ", and \(set.skipped) that verify no tokens"
            log.notice("\(name) has \(set.count) keys now\(rest)")
        }
        return waiting
    }

    /// The keys of a document. JWTKit keeps keys in actors, so a task reads them, and the thread waits for it.
    private static func keys(of document: [UInt8]) -> Result<KeySet, KeySet.Failure> {
        let found = FoundKeys()
        let isDone = DispatchSemaphore(value: 0)
        Task.detached {
            let result: Result<KeySet, KeySet.Failure>
            do throws(KeySet.Failure) {
                result = .success(try await KeySet(document: document))
            } catch {
                result = .failure(error)
            }
            found.result.withLock { $0 = result }
            isDone.signal()
        }
        isDone.wait()
        return found.result.withLock { $0 }
    }
}

/// Where a task leaves what it has read.
private final class FoundKeys: Sendable {
    let result = Mutex<Result<KeySet, KeySet.Failure>>(.failure(.malformed))
}

extension AuthConfiguration.KeySource {
    /// What logs call it.
    fileprivate var text: String {
        switch self {
        case .file(let path): path
        case .url(let url): url.text
        }
    }
}
