import Foundation
import Synchronization

@testable import Proxy

/// A server that issues session ids, and answers 404 to those that it has not issued.
final class SessionReplica: Sendable {
    let replica: RecordingReplica

    /// Answers name it.
    init(_ name: String) throws {
        let sessions = Sessions()
        replica = try RecordingReplica { request in sessions.answer(request, name) }
    }

    private final class Sessions: Sendable {
        private let ids = Mutex<Set<String>>([])

        func answer(_ request: RecordedRequest, _ name: String) -> [ReplicaStep] {
            let session = request.lines.lazy.compactMap { line -> String? in
                let parts = line.split(separator: ": ", maxSplits: 1)
                return parts.count == 2 && parts[0].lowercased() == "mcp-session-id" ? String(parts[1]) : nil
            }.first
            guard let session else {
                let id = UUID().uuidString
                ids.withLock { _ = $0.insert(id) }
                return [.answer(name, fields: "mcp-session-id: \(id)\r\n")]
            }
            guard ids.withLock({ $0.contains(session) }) else { return [.answer("unknown", status: "404 Not Found")] }
            return [.answer(name)]
        }
    }
}
