import FoundationEssentials
import Kernel

/// The page `/stats` of a running Berth.
enum StatusPage {
    private struct Document: Decodable {
        var pid: Int32?
    }

    /// The number of the process that answers; nil if none does within a second, or it does not say.
    static func pid(port: UInt16) -> Int32? {
        guard let body = body(port: port) else { return nil }
        return (try? JSONDecoder().decode(Document.self, from: Data(body)))?.pid
    }

    /// The body of the response to a GET; nil if there is none within a second.
    private static func body(port: UInt16) -> ArraySlice<UInt8>? {
        guard var world = try? Linux(), case .started(let descriptor) = world.dial(.loopback(port: port)) else {
            return nil
        }
        defer { world.close(descriptor, reset: false) }
        guard world.watch(descriptor, token: 0) else { return nil }
        let deadline = Instant.now() + .seconds(1)
        var request = Array("GET /stats HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)[...]
        var received: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while Instant.now() < deadline {
            if !request.isEmpty, case .moved(let count) = world.send(descriptor, request.span) {
                request = request.dropFirst(count)
            }
            var space = block.mutableSpan
            switch world.receive(descriptor, into: &space) {
            case .moved(let count): received += block[..<count]
            case .ended: return Self.body(of: received)
            case .failed: return nil
            case .wouldBlock: _ = world.wait(milliseconds: 50)
            }
        }
        return nil
    }

    private static func body(of response: [UInt8]) -> ArraySlice<UInt8>? {
        let blank = Array("\r\n\r\n".utf8)
        for start in response.indices where response[start...].starts(with: blank) {
            return response[(start + 4)...]
        }
        return nil
    }
}
