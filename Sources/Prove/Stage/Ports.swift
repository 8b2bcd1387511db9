import Kernel

/// TCP ports of loopback.
package enum Ports {
    /// Ports that no process uses now. Another process may take one before it is used, though the kernel gives it to none
    /// soon. Throws if there is none.
    package static func free(_ count: Int) throws(ProveError) -> [UInt16] {
        do {
            var world = try Linux()
            var listeners: [Descriptor] = []
            defer { for listener in listeners { world.close(listener, reset: false) } }
            var ports: [UInt16] = []
            for _ in 0..<count {
                let listener = try Socket.listen(on: .loopback(port: 0), shared: false)
                listeners.append(listener)
                ports.append(Socket.localAddress(listener)?.port ?? 0)
            }
            return ports
        } catch {
            throw ProveError("no free port: \(error)")
        }
    }

    /// Whether something accepts connections there.
    package static func isOpen(_ port: UInt16) -> Bool {
        guard var world = try? Linux(), case .started(let descriptor) = world.dial(.loopback(port: port)) else {
            return false
        }
        defer { world.close(descriptor, reset: true) }
        guard world.watch(descriptor, token: 0), world.wait(milliseconds: 500) > 0 else { return false }
        return world.connectionError(descriptor) == 0
    }
}
