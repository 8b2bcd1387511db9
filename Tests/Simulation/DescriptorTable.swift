import Kernel

/// An address the worker listens on, with the connections it has not accepted yet.
final class SimulatedListener {
    let address: SocketAddress
    let tcp: TCPOptions
    var backlog: [SimulatedSocket] = []
    /// SYNs are dropped.
    var refusesHandshakes = false

    init(address: SocketAddress, tcp: TCPOptions) {
        self.address = address
        self.tcp = tcp
    }
}

/// The worker's open descriptors. Numbers start far above any that a real kernel gave this process, so that the two
/// cannot be mistaken for each other.
struct DescriptorTable {
    enum Object {
        case listener(SimulatedListener)
        case socket(SimulatedSocket)
    }

    static let first: CInt = 1_000_000

    var reusesNumbers = true
    private var slots: [Object?] = []
    private(set) var openCount = 0

    static func isOurs(_ descriptor: Descriptor) -> Bool { descriptor.raw >= first }

    subscript(descriptor: Descriptor) -> Object? {
        let slot = Int(descriptor.raw) - Int(DescriptorTable.first)
        return slots.indices.contains(slot) ? slots[slot] : nil
    }

    mutating func open(_ object: Object) -> Descriptor {
        let free = reusesNumbers ? slots.firstIndex { $0 == nil } : nil
        let slot = free ?? slots.count
        if slot == slots.count { slots.append(nil) }
        slots[slot] = object
        openCount += 1
        return Descriptor(DescriptorTable.first + CInt(slot))
    }

    mutating func close(_ descriptor: Descriptor) {
        slots[Int(descriptor.raw) - Int(DescriptorTable.first)] = nil
        openCount -= 1
    }

    var open: [(Descriptor, Object)] {
        slots.indices.compactMap { slot in
            slots[slot].map { (Descriptor(DescriptorTable.first + CInt(slot)), $0) }
        }
    }

    var openListeners: Int { open.count { if case .listener = $0.1 { true } else { false } } }

    func listener(on address: SocketAddress) -> (Descriptor, SimulatedListener)? {
        for (descriptor, object) in open {
            if case .listener(let listener) = object, listener.address == address { return (descriptor, listener) }
        }
        return nil
    }
}
