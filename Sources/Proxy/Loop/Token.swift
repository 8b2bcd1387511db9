import Reactor

/// What an event or a timer is about, in the 64 bits that the poller carries: kind, generation, slot.
struct Token {
    enum Kind: UInt8 {
        case listener, client, upstream, mailbox
        /// Timers only: deadlines by slot, housekeeping, and the health checks of servers.
        case clientDeadline, upstreamDeadline, exchangeDeadline, housekeeping, healthCheck
        /// Of a client that is the proxy itself; by handle.
        case internalDeadline
        /// A timer only: the end of a server's ejection.
        case ejection
        /// A connection to a store; a timer of a store, by its index.
        case store, storeDeadline
    }

    let raw: UInt64

    init(raw: UInt64) {
        self.raw = raw
    }

    init(_ kind: Kind, _ handle: Handle) {
        raw = UInt64(kind.rawValue) << 56 | UInt64(handle.generation & 0xff_ffff) << 32 | UInt64(handle.slot)
    }

    init(_ kind: Kind, slot: Int = 0) {
        raw = UInt64(kind.rawValue) << 56 | UInt64(UInt32(truncatingIfNeeded: slot))
    }

    var kind: Kind? { Kind(rawValue: UInt8(truncatingIfNeeded: raw >> 56)) }
    var slot: Int { Int(raw & 0xffff_ffff) }
    var handle: Handle {
        Handle(slot: UInt32(truncatingIfNeeded: raw), generation: UInt32(truncatingIfNeeded: raw >> 32) & 0xff_ffff)
    }
}
