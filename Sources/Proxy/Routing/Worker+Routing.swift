import HTTP
import Kernel
import Reactor

/// Which upstream a request is for.
extension Worker where Outside: ~Copyable {
    /// The upstream of the first route that matches the head in the scratch; the only upstream where there are no
    /// routes.
    func route() -> Int? {
        guard !snapshot.routes.isEmpty else { return snapshot.upstreams.isEmpty ? nil : 0 }
        for index in snapshot.routes.indices where matches(index) { return snapshot.routes[index].upstream }
        return nil
    }

    private func matches(_ index: Int) -> Bool {
        if let host = snapshot.routes[index].host, !hostIs(host) { return false }
        switch snapshot.routes[index].path {
        case .any: return true
        case .exact(let path):
            let asked = path.isEmpty ? askedPath : withoutSlash(askedPath)
            return io.received.equals(asked, path)
        case .prefix(let path):
            let asked = askedPath
            return asked.count >= path.count
                && io.received.equals(asked.lowerBound..<(asked.lowerBound + path.count), path)
        }
    }

    /// The target's path, without the query.
    private var askedPath: Range<Int> {
        let target = io.requestHead.target.range
        var end = target.lowerBound
        let bytes = io.received.span
        while end < target.upperBound, bytes[end] != UInt8(ascii: "?") { end += 1 }
        return target.lowerBound..<end
    }

    private func withoutSlash(_ path: Range<Int>) -> Range<Int> {
        guard path.count > 1, io.received.span[path.upperBound - 1] == UInt8(ascii: "/") else { return path }
        return path.lowerBound..<(path.upperBound - 1)
    }

    /// Compares the authority without its port and without regard to case.
    private func hostIs(_ name: [UInt8]) -> Bool {
        let authority = io.requestHead.authority.range
        let bytes = io.received.span
        guard authority.count >= name.count else { return false }
        for index in name.indices {
            var byte = bytes[authority.lowerBound + index]
            if byte >= 0x41, byte <= 0x5a { byte |= 0x20 }
            if byte != name[index] { return false }
        }
        return authority.count == name.count || bytes[authority.lowerBound + name.count] == UInt8(ascii: ":")
    }
}
