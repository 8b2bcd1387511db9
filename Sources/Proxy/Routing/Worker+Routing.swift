import HTTP
import Kernel
import MCP
import Reactor

/// Which upstream a request is for.
extension Worker where Outside: ~Copyable {
    /// The upstream of the first route that matches the head in the scratch; the only upstream where there are no
    /// routes.
    mutating func route(_ exchange: Handle) -> PhaseResult {
        if snapshot.routes.isEmpty {
            guard !snapshot.upstreams.isEmpty else { return .respond(.noRoute) }
            exchanges[exchange].upstream = snapshot.upstreams[0].id.slot
            return .next
        }
        for index in snapshot.routes.indices
        where RequestMatch.matches(snapshot.routes[index], io.requestHead, in: io.received) {
            exchanges[exchange].upstream = snapshot.upstreams[snapshot.routes[index].upstream].id.slot
            return .next
        }
        return .respond(unroutedFault(exchange))
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
        if let host = route.host, !isHost(head.authority.range, host, in: buffer) { return false }
        let path = pathOnly(head.target.range, in: buffer)
        switch route.path {
        case .any: return true
        case .exact(let expected):
            return buffer.equals(expected.isEmpty ? path : withoutSlash(path, in: buffer), expected)
        case .prefix(let prefix):
            return path.count >= prefix.count
                && buffer.equals(path.lowerBound..<(path.lowerBound + prefix.count), prefix)
        }
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

    /// Compares the authority without its port and without regard to case.
    private static func isHost(_ authority: Range<Int>, _ name: [UInt8], in buffer: borrowing ByteBuffer) -> Bool {
        let bytes = buffer.span
        guard authority.count >= name.count else { return false }
        for index in name.indices {
            var byte = bytes[authority.lowerBound + index]
            if byte >= 0x41, byte <= 0x5a { byte |= 0x20 }
            if byte != name[index] { return false }
        }
        return authority.count == name.count || bytes[authority.lowerBound + name.count] == UInt8(ascii: ":")
    }
}
