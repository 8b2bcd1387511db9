package import Kernel

/// Listening sockets that were open when this process started: handed over by the process whose place it takes, or opened
/// by systemd for a socket unit. A listener that is configured at the address of one gets it in place of a new one.
///
/// A connection waits in the queue of one socket. Closing the socket resets the queue, so every socket that is taken over is
/// kept, however many workers there are.
package struct InheritedSockets: Sendable, Equatable {
    /// The sockets at one address.
    package struct Address: Sendable, Equatable {
        /// As the listener is configured; its port may be 0.
        package var configured: SocketAddress
        /// Where the sockets are bound.
        package var actual: SocketAddress
        /// In the order of the workers that had them.
        package var descriptors: [Descriptor]
        /// Those of them that systemd has as well: they go on when all processes of ours have ended.
        package var borrowed: Set<Descriptor>

        package init(
            configured: SocketAddress, actual: SocketAddress, descriptors: [Descriptor], borrowed: Set<Descriptor> = []
        ) {
            self.configured = configured
            self.actual = actual
            self.descriptors = descriptors
            self.borrowed = borrowed
        }
    }

    /// What no listener has claimed yet.
    package private(set) var unclaimed: [Address]

    /// No sockets but these.
    package init(_ addresses: [Address] = []) { unclaimed = addresses }

    /// Sockets that systemd has opened and keeps, by the addresses they are bound to.
    package init(bound descriptors: [Descriptor]) {
        unclaimed = []
        for descriptor in descriptors {
            guard let address = Socket.localAddress(descriptor) else { continue }
            if let index = unclaimed.firstIndex(where: { $0.actual == address }) {
                unclaimed[index].descriptors.append(descriptor)
                unclaimed[index].borrowed.insert(descriptor)
            } else {
                unclaimed.append(
                    Address(configured: address, actual: address, descriptors: [descriptor], borrowed: [descriptor]))
            }
        }
    }

    /// Takes the sockets of a listener out; nil if there are none. Where several listeners have port 0, each claims those
    /// of the one that came at the same place.
    mutating func claim(_ plan: ListenerPlan) -> Address? {
        let wanted = [plan.address] + (plan.addressWithoutIPv6.map { [$0] } ?? [])
        let match = unclaimed.firstIndex { wanted.contains($0.configured) || wanted.contains($0.actual) }
        return match.map { unclaimed.remove(at: $0) }
    }

    /// How many sockets an address has if `inherited` are there and so many workers: a multiple of the workers, so that
    /// each gets the same share of the connections, and never fewer than were inherited. Where that many workers have gone
    /// that the rounding no longer matters, none is added: sockets only ever get more from one process to the next.
    static func count(inherited: Int, workers: Int) -> Int {
        guard inherited > workers else { return workers }
        guard inherited < 4 * workers else { return inherited }
        return (inherited + workers - 1) / workers * workers
    }
}
