import HTTP
import Kernel
import MCP
import Reactor

/// Which upstream a request is for.
extension Worker where Outside: ~Copyable {
    /// The upstream of the first route that matches the head in the scratch; the only upstream where there are no
    /// routes.
    mutating func route(_ exchange: Handle) -> PhaseResult {
        let client = exchanges[exchange].client
        if clients.isInternal(client) { return routeInternal(exchange) }
        let listener = clients.listener(of: client)
        if !clients.listeners[listener].plan.access.isOpen || clients.listeners[listener].plan.redirectPort != nil
            || !clients.listeners[listener].plan.hosts.isEmpty,
            let result = turnAway(exchange)
        {
            return result
        }
        if snapshot.isProtected, let result = respondMetadata(exchange) { return result }
        if snapshot.routes.isEmpty {
            guard !snapshot.upstreams.isEmpty else { return .respond(.noRoute) }
            exchanges[exchange].upstream = snapshot.upstreams[0].id.slot
            return .next
        }
        for index in snapshot.routes.indices
        where RequestMatch.matches(snapshot.routes[index], io.requestHead, in: io.received) {
            if snapshot.routes[index].extras != nil, let result = applyExtras(exchange, ofRoute: index) {
                return result
            }
            exchanges[exchange].upstream = snapshot.upstreams[snapshot.routes[index].upstream].id.slot
            return snapshot.routes[index].checksHeaders ? checkHeaders(exchange) : .next
        }
        return .respond(unroutedFault(exchange))
    }

    /// Compares the header fields of MCP with the message, where the route asks for that.
    private func checkHeaders(_ exchange: Handle) -> PhaseResult {
        let fault = HeaderCheck.fault(
            of: io.requestHead, in: io.received, exchanges[exchange].kind, isWhole: exchanges[exchange].isWhole)
        return fault.map { .respond($0) } ?? .next
    }

    /// What a request is told that no route matches: 421 if no route has its host, else 404; but that would end a session,
    /// which a request that names one is not to lose by a route that is missing.
    private func unroutedFault(_ exchange: Handle) -> ExchangeFault {
        let servesHost = snapshot.routes.contains { route in
            var anyPath = route
            anyPath.path = .any
            return RequestMatch.matches(anyPath, io.requestHead, in: io.received)
        }
        guard servesHost else { return .unknownHost }
        switch exchanges[exchange].kind {
        case .session, .legacyMessage: return .noRouteForSession
        case .modern, .streamOpening, .resumption, .sessionless, .preflight, .other: return .noRoute
        }
    }
}

/// Compares a request with a route's conditions. Both have to hold.
enum RequestMatch {
    static func matches(_ route: borrowing RoutePlan, _ head: borrowing RequestHead, in buffer: borrowing ByteBuffer)
        -> Bool
    {
        if let host = route.hostPattern, !host.matches(head.authority.range, in: buffer) { return false }
        let path = pathOnly(head.target.range, in: buffer)
        switch route.path {
        case .any: return true
        case .exact(let expected):
            // A target without a path is "/" (RFC 9112 section 3.2.1).
            if path.isEmpty { return isRoot(expected) }
            return buffer.equals(withoutSlash(path, in: buffer), expected)
        case .prefix(let prefix):
            if path.isEmpty { return isRoot(prefix) }
            return path.count >= prefix.count
                && buffer.equals(path.lowerBound..<(path.lowerBound + prefix.count), prefix)
                && endsSegment(prefix, of: path, in: buffer)
        }
    }

    private static func isRoot(_ path: [UInt8]) -> Bool { path.count == 1 && path[0] == UInt8(ascii: "/") }

    /// Whether a segment of the path, which begins with the prefix, ends where the prefix does.
    private static func endsSegment(_ prefix: [UInt8], of path: Range<Int>, in buffer: borrowing ByteBuffer) -> Bool {
        path.count == prefix.count || prefix.last == UInt8(ascii: "/")
            || buffer.span[path.lowerBound + prefix.count] == UInt8(ascii: "/")
    }

    /// The target's path, without the query.
    private static func pathOnly(_ target: Range<Int>, in buffer: borrowing ByteBuffer) -> Range<Int> {
        var end = target.lowerBound
        let bytes = buffer.span
        while end < target.upperBound, bytes[end] != UInt8(ascii: "?") { end += 1 }
        return target.lowerBound..<end
    }

    private static func withoutSlash(_ path: Range<Int>, in buffer: borrowing ByteBuffer) -> Range<Int> {
        guard path.count > 1, buffer.span[path.upperBound - 1] == UInt8(ascii: "/") else { return path }
        return path.lowerBound..<(path.upperBound - 1)
    }
}
