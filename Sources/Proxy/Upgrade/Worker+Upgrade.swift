import Kernel

/// What a worker does when another process takes its place.
extension Worker where Outside: ~Copyable {
    /// Closes listening sockets that another process has as well. What waits in their queues is that process's: nothing
    /// is reset, and nothing that the two share is changed.
    mutating func leaveListeners(_ taken: [Descriptor]) {
        lifecycle.hasSuccessor = true
        for index in clients.listeners.indices where clients.listeners[index].isOpen {
            if taken.contains(clients.listeners[index].descriptor) { leave(listener: index) }
        }
    }

    /// Closes a listening socket that is open elsewhere, too.
    mutating func leave(listener index: Int) {
        let descriptor = clients.listeners[index].descriptor
        clients.listeners[index].phase = .closed
        io.world.unwatch(descriptor)
        io.world.close(descriptor, reset: false)
    }
}
