import HTTP
import Kernel
import MCP
import Synchronization
import Telemetry

extension ProxyServer {
    /// Has logs, traces and the like call servers, upstreams and listeners as the snapshot in force does.
    func publishNames() {
        calls.publish(current.withLock { CallNames($0.snapshot, $0.sockets) })
    }
}

extension CallNames {
    fileprivate init(_ snapshot: Snapshot, _ sockets: ListeningSockets) {
        self.init()
        for listener in snapshot.listeners {
            listeners.set("\(sockets.address(of: listener.id) ?? listener.address)", at: listener.id)
        }
        for upstream in snapshot.upstreams { upstreams.set(upstream.name, at: upstream.id) }
        for server in snapshot.servers where server.id != .none {
            let slot = Int(server.id.slot)
            while servers.count <= slot { servers.append(nil) }
            servers[slot] = Server(server.name, upstream: snapshot.upstreams[server.upstream].name)
        }
        reasons = ExchangeFault.allCases.map { Name("\($0.response.reason)") }
        httpMethods = Self.methods
    }

    /// By raw value.
    private static let methods: [Name] = {
        var names = [Name](repeating: .none, count: Int(UInt8.max) + 1)
        let known: [(Method, String)] = [
            (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.delete, "DELETE"),
            (.options, "OPTIONS"), (.patch, "PATCH"), (.trace, "TRACE"), (.connect, "CONNECT"),
        ]
        for (method, name) in known { names[Int(method.rawValue)] = Name(name) }
        return names
    }()
}

extension [CallNames.Name] {
    fileprivate mutating func set(_ name: String, at id: ServerID) {
        guard id != .none else { return }
        while count <= Int(id.slot) { append(.none) }
        self[Int(id.slot)] = CallNames.Name(name)
    }
}
