import Kernel

/// Sends requests to a collector, each on a connection of its own, and waits for the response. For the exporter's thread only.
struct CollectorClient: ~Copyable {
    private var world: Linux

    /// Throws if there is no descriptor for it.
    init() throws(SystemError) { world = try Linux() }

    /// Posts spans and returns what came of it, at `deadline` at the latest; sooner if `isHurried` says that there is no time.
    mutating func post(
        _ body: [UInt8], to collector: CollectorAddress, by deadline: Instant, _ isHurried: () -> Bool
    ) -> CollectorResponse {
        let addresses = SocketAddress.resolve(host: collector.host, port: collector.port)
        guard !addresses.isEmpty else { return .unavailable("\(collector.host) has no address", after: nil) }
        var last = CollectorResponse.unavailable("it cannot be reached", after: nil)
        for address in addresses {
            last = exchange(Self.request(body, to: collector), with: address, by: deadline, isHurried)
            guard case .unavailable = last, Instant.now() < deadline else { return last }
        }
        return last
    }

    private static func request(_ body: [UInt8], to collector: CollectorAddress) -> [UInt8] {
        let head = """
            POST \(collector.path)/v1/traces HTTP/1.1\r
            host: \(collector.authority)\r
            content-type: application/x-protobuf\r
            content-length: \(body.count)\r
            user-agent: berth\r
            connection: close\r
            \r

            """
        return Array(head.utf8) + body
    }

    private mutating func exchange(
        _ request: [UInt8], with address: SocketAddress, by deadline: Instant, _ isHurried: () -> Bool
    ) -> CollectorResponse {
        guard case .started(let socket) = world.dial(address) else {
            return .unavailable("\(address) cannot be reached", after: nil)
        }
        defer { world.close(socket, reset: false) }
        guard world.watch(socket, token: 0) else { return .unavailable("it cannot be watched", after: nil) }
        var (sent, received): (Int, [UInt8]) = (0, [])
        while Instant.now() < deadline, !isHurried() {
            // Short, so that it sees when the process ends.
            _ = world.wait(milliseconds: 50)
            let code = world.connectionError(socket)
            guard code == 0 else { return .unavailable("\(address): \(ErrorNumber.text(code))", after: nil) }
            sending: while sent < request.count {
                guard case .moved(let count) = world.send(socket, request.span.extracting(sent..<request.count)) else {
                    break sending
                }
                sent += count
            }
            if let response = receive(socket, into: &received, address) { return response }
        }
        return .unavailable("\(address) does not answer", after: nil)
    }

    /// Reads what is there; nil if the response's head is not complete.
    private mutating func receive(
        _ socket: Descriptor, into received: inout [UInt8], _ address: SocketAddress
    ) -> CollectorResponse? {
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while received.count < CollectorResponse.maximumHead {
            var space = chunk.mutableSpan
            switch world.receive(socket, into: &space) {
            case .moved(let count): received += chunk[..<count]
            case .wouldBlock: return CollectorResponse(received)
            case .ended, .failed:
                return CollectorResponse(received) ?? .unavailable("\(address) closed the connection", after: nil)
            }
        }
        return CollectorResponse(received) ?? .rejected("its response has no end")
    }
}
