import Kernel

/// The listening sockets of a process, opened before any thread starts: a socket for each worker at each address, one
/// for the control thread at an admin address.
///
/// A worker that has started owns its sockets; those of one that has not are closed with `close(worker:of:)`.
struct ListeningSockets: Sendable {
    /// By plan, then by worker; of an admin listener one only.
    private var descriptors: [[Descriptor]] = []
    private var roles: [ListenerPlan.Role] = []
    /// Where the listeners ended up, in the order of the plans; kernel-chosen ports filled in.
    private(set) var addresses: [SocketAddress] = []

    /// Opens a socket. `shared`: others of this process listen there as well.
    typealias Listen = (_ address: SocketAddress, _ shared: Bool, TCPOptions) throws(SystemError) -> Descriptor

    /// Opens the sockets of all plans for so many traffic workers. On failure, which names the address, none stays open.
    init(
        _ plans: [ListenerPlan], workers: Int,
        listen: Listen = { address, shared, tcp throws(SystemError) in
            try Socket.listen(on: address, shared: shared, tcp: tcp)
        }
    ) throws(StartError) {
        for plan in plans {
            do throws(SystemError) {
                try open(plan, count: plan.role == .admin ? 1 : workers, listen)
            } catch {
                closeAll()
                throw StartError("cannot listen on \(plan.address): \(error)")
            }
        }
    }

    private mutating func open(_ plan: ListenerPlan, count: Int, _ listen: Listen) throws(SystemError) {
        descriptors.append([])
        roles.append(plan.role)
        let (first, wanted) = try ListeningSockets.first(plan, listen)
        let address = Socket.localAddress(first) ?? wanted
        descriptors[descriptors.count - 1].append(first)
        addresses.append(address)
        guard count > 1 else { return }
        // The first socket is bound alone, so that another process at this address is an error and no partner; then it
        // is opened for the others of this process.
        try Socket.share(first)
        for _ in 1..<count {
            descriptors[descriptors.count - 1].append(try listen(address, true, plan.tcp))
        }
    }

    /// The first socket at an address, which must be nobody's. "All addresses" are those of IPv4 on a machine without IPv6.
    private static func first(
        _ plan: ListenerPlan, _ listen: Listen
    ) throws(SystemError) -> (Descriptor, SocketAddress) {
        do throws(SystemError) {
            return (try listen(plan.address, false, plan.tcp), plan.address)
        } catch {
            guard let other = plan.addressWithoutIPv6, ErrorNumber.isFamilyMissing(error.code) else { throw error }
            return (try listen(other, false, plan.tcp), other)
        }
    }

    /// The sockets of a worker, or of the control thread, with the indices of their plans.
    func sockets(ofWorker worker: Int, isControl: Bool) -> [(plan: Int, descriptor: Descriptor)] {
        descriptors.indices.compactMap { plan in
            guard (roles[plan] == .admin) == isControl else { return nil }
            return (plan, descriptors[plan][isControl ? 0 : worker])
        }
    }

    /// Closes the sockets of a thread that will not accept with them.
    func close(worker: Int, isControl: Bool) {
        for (_, descriptor) in sockets(ofWorker: worker, isControl: isControl) { Socket.close(descriptor) }
    }

    private func closeAll() {
        for descriptor in descriptors.joined() { Socket.close(descriptor) }
    }
}
