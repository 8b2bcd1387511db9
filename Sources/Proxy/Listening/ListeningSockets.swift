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
        /// One for each worker, or several if more were inherited: worker w has those at w, w + workers and so on. Of an admin
        /// listener one only, or those that were inherited.
        var descriptors: [Descriptor] = []
        /// Where it ended up; a kernel-chosen port filled in.
        var address: SocketAddress
        /// Those of the descriptors that systemd has as well.
        var borrowed: Set<Descriptor> = []
    }

    private var groups: [Group] = []
    private let workers: Int
    private let listen: Listen
    /// Sockets that were there before, and that no listener has claimed.
    private(set) var inherited: InheritedSockets

    /// Opens a socket. `shared`: others of this process listen there as well.
    typealias Listen =
        @Sendable (_ address: SocketAddress, _ shared: Bool, TCPOptions) throws(SystemError) -> Descriptor

    /// Opens the sockets of all plans for so many traffic workers, or goes on with inherited ones. On failure, which names the
    /// address, none stays open.
    init(
        _ plans: [ListenerPlan], workers: Int, inherited: InheritedSockets = InheritedSockets(),
        listen: @escaping Listen = { address, shared, tcp throws(SystemError) in
            try Socket.listen(on: address, shared: shared, tcp: tcp)
        }
    ) throws(StartError) {
        self.workers = workers
        self.listen = listen
        self.inherited = inherited
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
                throw StartError("cannot listen on \(plan.place): \(error)")
            }
        }
    }

    /// Forgets all listeners but these; their sockets are the workers' to close.
    mutating func retain(only listeners: [ServerID]) { groups.removeAll { !listeners.contains($0.listener) } }

    private mutating func open(_ plan: ListenerPlan, count: Int) throws(SystemError) {
        if let found = inherited.claim(plan) { return try takeOver(found, plan, count: count) }
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
        if let path = plan.socketPath { return (try UnixSocket.listen(at: path), plan.address) }
        do throws(SystemError) {
            return (try listen(plan.address, false, plan.tcp), plan.address)
        } catch {
            guard let other = plan.addressWithoutIPv6, ErrorNumber.isFamilyMissing(error.code) else { throw error }
            return (try listen(other, false, plan.tcp), other)
        }
    }

    /// Goes on with sockets that are open already, and opens more if there are more workers than sockets.
    private mutating func takeOver(
        _ found: InheritedSockets.Address, _ plan: ListenerPlan, count: Int
    ) throws(SystemError) {
        let known = found.descriptors
        for descriptor in known { Socket.prepareInherited(descriptor, tcp: plan.tcp) }
        groups.append(
            Group(
                listener: plan.id, role: plan.role, descriptors: known, address: found.actual, borrowed: found.borrowed)
        )
        let total = InheritedSockets.count(inherited: known.count, workers: count)
        guard total > known.count else { return }
        for descriptor in known { try Socket.share(descriptor) }
        for number in known.count..<total {
            let descriptor = try another(like: known[number % known.count], at: found, plan.tcp)
            groups[groups.count - 1].descriptors.append(descriptor.socket)
            if descriptor.isBorrowed { groups[groups.count - 1].borrowed.insert(descriptor.socket) }
        }
    }

    /// One more socket at the address of an inherited one. Where the kernel refuses it, because that one is another user's, as
    /// those that systemd opens are, another descriptor of the same socket: workers then take connections from one queue.
    private func another(
        like first: Descriptor, at address: InheritedSockets.Address, _ tcp: TCPOptions
    ) throws(SystemError) -> (socket: Descriptor, isBorrowed: Bool) {
        do throws(SystemError) {
            return (try listen(address.actual, true, tcp), false)
        } catch {
            guard ErrorNumber.isAddressRefused(error.code) else { throw error }
            return (try Socket.duplicate(first), address.borrowed.contains(first))
        }
    }

    /// All sockets by address, for another process.
    func handedOver(_ plans: [ListenerPlan]) -> [InheritedSockets.Address] {
        groups.map { group in
            let configured = plans.first { $0.id == group.listener }?.address ?? group.address
            return .init(
                configured: configured, actual: group.address, descriptors: group.descriptors, borrowed: group.borrowed)
        }
    }

    /// The sockets of a worker, or of the control thread, of those listeners, or of all.
    func sockets(ofWorker worker: Int, isControl: Bool, of listeners: [ServerID]? = nil) -> [ListenerSocket] {
        groups.flatMap { group -> [ListenerSocket] in
            guard (group.role == .admin) == isControl, listeners?.contains(group.listener) ?? true else { return [] }
            // An inherited address may have more sockets than there are workers.
            return stride(from: isControl ? 0 : worker, to: group.descriptors.count, by: isControl ? 1 : workers).map {
                let descriptor = group.descriptors[$0]
                return ListenerSocket(
                    listener: group.listener, descriptor: descriptor, isBorrowed: group.borrowed.contains(descriptor))
            }
        }
    }

    /// Closes the sockets of a thread that will not accept with them.
    func close(worker: Int, isControl: Bool) {
        for socket in sockets(ofWorker: worker, isControl: isControl) { Socket.close(socket.descriptor) }
    }
}
