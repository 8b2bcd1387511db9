import Kernel

/// The listening sockets of a process: one for each worker at each address, one for the control thread at an admin
/// address. Those of the first snapshot are opened before any thread starts, those of later ones before workers hear of them.
///
/// A worker that was given sockets owns them, and closes them; what is kept here are their numbers. Those of a worker that has not
/// started are closed with `close(worker:isControl:)`.
struct ListeningSockets: Sendable {
    /// The sockets of one listener.
    private struct Group {
        let listener: ServerID
        let role: ListenerPlan.Role
        /// By worker; of an admin listener one only.
        var descriptors: [Descriptor] = []
        /// Where it ended up; a kernel-chosen port filled in.
        var address: SocketAddress
    }

    private var groups: [Group] = []
    private let workers: Int
    private let listen: Listen

    /// Opens a socket. `shared`: others of this process listen there as well.
    typealias Listen =
        @Sendable (_ address: SocketAddress, _ shared: Bool, TCPOptions) throws(SystemError) -> Descriptor

    /// Opens the sockets of all plans for so many traffic workers. On failure, which names the address, none stays open.
    init(
        _ plans: [ListenerPlan], workers: Int,
        listen: @escaping Listen = { address, shared, tcp throws(SystemError) in
            try Socket.listen(on: address, shared: shared, tcp: tcp)
        }
    ) throws(StartError) {
        self.workers = workers
        self.listen = listen
        try open(plans)
    }

    /// Where the listeners ended up, in their order.
    var addresses: [SocketAddress] { groups.map(\.address) }

    /// Where a listener ended up; nil if it has no sockets.
    func address(of listener: ServerID) -> SocketAddress? { groups.first { $0.listener == listener }?.address }

    /// Whether a listener has sockets.
    func contains(_ listener: ServerID) -> Bool { groups.contains { $0.listener == listener } }

    /// Opens the sockets of more listeners. On failure, which names the address, none of theirs stays open.
    mutating func open(_ plans: [ListenerPlan]) throws(StartError) {
        let known = groups.count
        for plan in plans {
            do throws(SystemError) {
                try open(plan, count: plan.role == .admin ? 1 : workers)
            } catch {
                for group in groups[known...] { for descriptor in group.descriptors { Socket.close(descriptor) } }
                groups.removeSubrange(known...)
                throw StartError("cannot listen on \(plan.address): \(error)")
            }
        }
    }

    /// Forgets all listeners but these; their sockets are the workers' to close.
    mutating func retain(only listeners: [ServerID]) { groups.removeAll { !listeners.contains($0.listener) } }

    private mutating func open(_ plan: ListenerPlan, count: Int) throws(SystemError) {
        groups.append(Group(listener: plan.id, role: plan.role, address: plan.address))
        let index = groups.count - 1
        let (first, wanted) = try first(plan)
        groups[index].descriptors.append(first)
        groups[index].address = Socket.localAddress(first) ?? wanted
        guard count > 1 else { return }
        // The first socket is bound alone, so that another process at this address is an error and no partner; then it
        // is opened for the others of this process.
        try Socket.share(first)
        for _ in 1..<count {
            groups[index].descriptors.append(try listen(groups[index].address, true, plan.tcp))
        }
    }

    /// The first socket at an address, which must be nobody's. "All addresses" are those of IPv4 on a machine without IPv6.
    private func first(_ plan: ListenerPlan) throws(SystemError) -> (Descriptor, SocketAddress) {
        do throws(SystemError) {
            return (try listen(plan.address, false, plan.tcp), plan.address)
        } catch {
            guard let other = plan.addressWithoutIPv6, ErrorNumber.isFamilyMissing(error.code) else { throw error }
            return (try listen(other, false, plan.tcp), other)
        }
    }

    /// The sockets of a worker, or of the control thread, of those listeners, or of all.
    func sockets(ofWorker worker: Int, isControl: Bool, of listeners: [ServerID]? = nil) -> [ListenerSocket] {
        groups.compactMap { group in
            guard (group.role == .admin) == isControl, listeners?.contains(group.listener) ?? true else { return nil }
            return ListenerSocket(listener: group.listener, descriptor: group.descriptors[isControl ? 0 : worker])
        }
    }

    /// Closes the sockets of a thread that will not accept with them.
    func close(worker: Int, isControl: Bool) {
        for socket in sockets(ofWorker: worker, isControl: isControl) { Socket.close(socket.descriptor) }
    }
}
