import HTTP
package import Kernel
import TLS

/// Listening sockets of a worker as they come and go.
extension Worker where Outside: ~Copyable {
    /// How long a listener that closes waits for handshakes that the kernel had answered: a little more than the longest
    /// round trip to be expected.
    private static var closingTime: Interval { .milliseconds(400) }

    /// Starts accepting on `descriptor` by the snapshot's listener with this index. The descriptor is the worker's from here
    /// on. False if the kernel does not let the worker watch it.
    @discardableResult
    package mutating func listen(on descriptor: Descriptor, plan index: Int, isBorrowed: Bool = false) -> Bool {
        var listener = Listener(descriptor, plan: snapshot.listeners[index])
        listener.isBorrowed = isBorrowed
        let slot = clients.listeners.firstIndex(where: \.isFree) ?? clients.listeners.count
        if slot == clients.listeners.count {
            clients.listeners.append(listener)
        } else {
            clients.listeners[slot] = listener
        }
        return io.world.watch(descriptor, token: Token(.listener, slot: slot).raw)
    }

    /// Starts accepting on sockets that belong to listeners of the snapshot. False if one cannot be watched.
    mutating func listen(on sockets: [ListenerSocket]) -> Bool {
        var isComplete = true
        for socket in sockets {
            guard let index = snapshot.listeners.firstIndex(where: { $0.id == socket.listener }) else { continue }
            let isListening = listen(on: socket.descriptor, plan: index, isBorrowed: socket.isBorrowed)
            if !isListening { isComplete = false }
        }
        return isComplete
    }

    /// Gives listeners the rules that the snapshot has for them, and closes those that it has not.
    mutating func adoptListeners() {
        for index in clients.listeners.indices where clients.listeners[index].isOpen {
            let id = clients.listeners[index].plan.id
            guard let plan = snapshot.listeners.first(where: { $0.id == id }) else {
                close(listener: index)
                continue
            }
            clients.listeners[index].plan = plan
            clients.listeners[index].parser = RequestParser(limits: plan.limits)
            clients.listeners[index].tls = plan.tls
        }
    }

    /// Stops taking new handshakes, and closes the socket a little later: closing it now would reset connections that the
    /// kernel has accepted, and those whose last packet of the handshake is under way.
    private mutating func close(listener index: Int) {
        // What waits for a socket of systemd's waits for the next process.
        if clients.listeners[index].isBorrowed { return leave(listener: index) }
        io.world.refuseHandshakes(clients.listeners[index].descriptor)
        clients.listeners[index].phase = .closing(until: clock.now + Worker.closingTime)
        clock.scheduleHousekeeping(at: clock.now)
    }

    /// Closes all listening sockets without resetting anything that the kernel has accepted.
    mutating func closeListeners() {
        for index in clients.listeners.indices where clients.listeners[index].isOpen { close(listener: index) }
    }

    /// Closes the sockets whose time to do so has come.
    mutating func settleListeners() {
        for index in clients.listeners.indices {
            guard case .closing(let end) = clients.listeners[index].phase, end <= clock.now else { continue }
            emptyBacklog(index)
            closeSocket(index)
        }
    }

    /// Sockets that are to close are still there.
    var hasClosingListeners: Bool { clients.listeners.contains { !$0.isOpen && $0.accepts } }

    /// Closes the listening sockets at once: what waits in their backlogs is reset.
    mutating func stopListening() {
        for index in clients.listeners.indices where clients.listeners[index].accepts { closeSocket(index) }
    }

    private mutating func closeSocket(_ index: Int) {
        clients.listeners[index].phase = .closed
        io.world.close(clients.listeners[index].descriptor, reset: false)
    }

    /// Serves connections that are yet to come with `context`; those that are there keep what they have.
    mutating func replaceCertificates(_ context: TLSContext, listener id: ServerID) {
        for index in clients.listeners.indices where clients.listeners[index].plan.id == id {
            clients.listeners[index].tls = context
        }
    }
}
