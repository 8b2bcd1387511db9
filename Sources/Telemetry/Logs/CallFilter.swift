import MCP

/// Which calls a reader wants to see: those to which everything applies that is asked for.
package struct CallFilter: Sendable {
    /// Only calls that failed: anything but an answer of a server that is no error.
    package var onlyFailed = false
    /// Only calls that took so many nanoseconds or more; nil: all. Streams that a client only listens on never do.
    package var slowFrom: UInt64?
    /// Only calls of this tool; nil: all.
    package var tool: CallName?
    /// Only calls that went to this server, as `host:port` or `upstream/host:port`; nil: all.
    package var server: String?
    /// Only calls of this session, by the number that lines show; nil: all.
    package var session: UInt64?

    /// All calls.
    package init() {}

    func admits(_ event: borrowing CallEvent, _ names: CallNames) -> Bool {
        if onlyFailed, !event.hasFailed { return false }
        if let slowFrom, !event.isSlow(from: slowFrom) { return false }
        if let session, event.session != session { return false }
        if let tool {
            guard case .toolsCall = event.method, event.name == tool else { return false }
        }
        guard let server else { return true }
        guard let found = names.server(of: event) else { return false }
        return found.name.text == server || "\(found.upstream.text)/\(found.name.text)" == server
    }
}

extension CallName {
    fileprivate static func == (one: borrowing CallName, other: CallName) -> Bool {
        guard one.count == other.count else { return false }
        for index in 0..<Int(one.count) where one[index] != other[index] { return false }
        return true
    }
}
